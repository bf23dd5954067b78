// A session of ONNX Runtime on one thread, whichever of its packages it comes from.
import { modelOf } from './onnxModel.mjs';

export async function prepareSession({ InferenceSession, Tensor }, provider, testCase, inputs) {
  const { bytes, feeds } = modelOf(testCase, inputs);
  const options = { executionProviders: [provider], intraOpNumThreads: 1, interOpNumThreads: 1 };
  const session = await InferenceSession.create(bytes, options);
  const typeOf = (values) => (values instanceof Int32Array ? 'int32' : 'float32');
  const fed = Object.fromEntries(
    feeds.map(({ name, shape, values }) => [name, new Tensor(typeOf(values), values, shape)]),
  );
  return { run: () => session.run(fed, ['out']), read: ({ out }) => out.data };
}
