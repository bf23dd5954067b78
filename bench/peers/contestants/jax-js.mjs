// jax-js in WebAssembly, compiled with its jit. It needs Node 22.
import { defaultDevice, init, jit, nn, numpy } from '@jax-js/jax';
import { versionOf } from './versions.mjs';

export async function prepare(testCase, inputs) {
  await init('wasm');
  defaultDevice('wasm');
  const { M, N, K, B, L, H, D } = testCase;
  const matmul = testCase.kind === 'matmul';
  const shapeOf = { a: [M, K], b: [K, N] };
  const held = Object.entries(inputs).map(([name, values]) =>
    numpy.array(values, { shape: shapeOf[name] ?? [B, L, H, D] }),
  );
  const compute = jit(matmul ? (a, b) => numpy.matmul(a, b) : (q, k, v) => nn.dotProductAttention(q, k, v));
  let kept;
  const run = async () => {
    kept?.dispose();
    kept = await compute(...held.map((array) => array.ref)).blockUntilReady();
    return kept;
  };
  const detail = `wasm, Node ${process.versions.node}`;
  return { version: versionOf('@jax-js/jax'), detail, run, read: (out) => out.ref.data() };
}
