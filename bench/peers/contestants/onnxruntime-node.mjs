// ONNX Runtime, compiled for this processor.
import * as runtime from 'onnxruntime-node';
import { prepareSession } from './onnxruntime.mjs';
import { versionOf } from './versions.mjs';

export async function prepare(testCase, inputs) {
  const session = await prepareSession(runtime.default ?? runtime, 'cpu', testCase, inputs);
  return { version: versionOf('onnxruntime-node'), ...session };
}
