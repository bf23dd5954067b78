// ONNX Runtime in WebAssembly.
import * as runtime from 'onnxruntime-web';
import { prepareSession } from './onnxruntime.mjs';
import { versionOf } from './versions.mjs';

export async function prepare(testCase, inputs) {
  runtime.env.wasm.numThreads = 1;
  const session = await prepareSession(runtime, 'wasm', testCase, inputs);
  return { version: versionOf('onnxruntime-web'), detail: 'wasm', ...session };
}
