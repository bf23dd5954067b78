// Keyhole as this repository has built it, through its public calls.
import { readFileSync } from 'node:fs';
import { attention, causal, loadBackend, matmul, permute, scope, setBackend, tensor } from '../../../dist/index.js';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

export async function prepare(testCase, inputs, backend = 'native') {
  const loaded = await loadBackend({ backend, threads: 1 });
  setBackend(loaded);
  const compute = testCase.kind === 'matmul' ? product(testCase, inputs) : heads(testCase, inputs);
  let kept;
  const run = () => {
    kept?.dispose();
    kept = scope(compute);
    return kept;
  };
  return { version, detail: loaded.info.target, run, read: (out) => out.toArray() };
}

function product({ M, N, K }, { a, b }) {
  const [left, right] = [tensor(a, [M, K]), tensor(b, [K, N])];
  return () => matmul(left, right);
}

function heads({ B, L, H, D, causal: masked }, inputs) {
  const [q, k, v] = [inputs.q, inputs.k, inputs.v].map((x) => permute(tensor(x, [B, L, H, D]), [0, 2, 1, 3]));
  const options = masked ? { mask: causal() } : {};
  return () => permute(attention(q, k, v, options).out, [0, 2, 1, 3]); // [B, L, H, D], a view
}
