// TensorFlow.js in WebAssembly. It has no fused attention: matmul, softmax, matmul, on heads brought to the front before.
import { createRequire } from 'node:module';
import { versionOf } from './versions.mjs';

const require = createRequire(import.meta.url);
const tf = require('@tensorflow/tfjs-core');
const wasm = require('@tensorflow/tfjs-backend-wasm');

export async function prepare(testCase, inputs) {
  wasm.setThreadsCount(1);
  await tf.setBackend('wasm');
  await tf.ready();
  const compute = testCase.kind === 'matmul' ? product(testCase, inputs) : heads(testCase, inputs);
  let kept;
  const run = () => {
    kept?.dispose();
    kept = tf.tidy(compute);
    return kept;
  };
  const read = (out) => (testCase.kind === 'matmul' ? out : tf.transpose(out, [0, 2, 1, 3])).dataSync();
  return { version: versionOf('@tensorflow/tfjs-backend-wasm'), detail: 'wasm', run, read };
}

function product({ M, N, K }, { a, b }) {
  const [left, right] = [tf.tensor(a, [M, K]), tf.tensor(b, [K, N])];
  return () => tf.matMul(left, right);
}

function heads({ B, L, H, D }, inputs) {
  const [q, k, v] = [inputs.q, inputs.k, inputs.v].map((x) => tf.transpose(tf.tensor(x, [B, L, H, D]), [0, 2, 1, 3]));
  const scale = tf.scalar(1 / Math.sqrt(D));
  return () => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), scale)), v);
}
