// A session of ONNX Runtime on one thread, whichever of its packages it comes from.
import { modelOf } from './onnxModel.mjs';

export async function prepareSession({ InferenceSession, Tensor }, provider, testCase, inputs) {
  const { bytes, feeds } = modelOf(testCase, inputs);
  const options = { executionProviders: [provider], intraOpNumThreads: 1, interOpNumThreads: 1 };
  const session = await InferenceSession.create(bytes, options);
  const fed = Object.fromEntries(feeds.map(({ name, shape, values }) => [name, new Tensor('float32', values, shape)]));
  return { run: () => session.run(fed), read: ({ out }) => out.data };
}
