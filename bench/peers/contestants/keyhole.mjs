// Keyhole as this repository has built it, through its public calls.
import { readFileSync } from 'node:fs';
import {
  attention,
  causal,
  concat,
  loadBackend,
  matmul,
  permute,
  scope,
  setBackend,
  tensor,
} from '../../../dist/index.js';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));

/** `record`: with the default record of everything, read by nobody. */
export async function prepare(testCase, inputs, { backend = 'native', record = false } = {}) {
  const loaded = await loadBackend({ backend, threads: 1 });
  setBackend(loaded);
  const compute = builders[testCase.kind](testCase, inputs, record);
  let kept;
  const run = () => {
    kept?.dispose();
    kept = scope(compute);
    return kept;
  };
  const detail = record ? `${loaded.info.target}, default record` : loaded.info.target;
  return { version, detail, run, read: (out) => out.toArray() };
}

const builders = { matmul: product, attention: heads, decode: query };

function product({ M, N, K }, { a, b }) {
  const [left, right] = [tensor(a, [M, K]), tensor(b, [K, N])];
  return () => matmul(left, right);
}

function heads({ B, L, H, D, causal: masked }, inputs, record) {
  const [q, k, v] = [inputs.q, inputs.k, inputs.v].map((x) => permute(tensor(x, [B, L, H, D]), [0, 2, 1, 3]));
  const options = { ...(masked && { mask: causal() }), ...(record && { record: { statistics: true } }) };
  return () => permute(attention(q, k, v, options).out, [0, 2, 1, 3]); // [B, L, H, D], a view
}

/** One query against a cache that already holds its own key; appending it writes one row in place. */
function query({ B, H, G, S, D }, inputs) {
  const held = (past, fresh) => concat([tensor(past, [B, G, S - 1, D]), tensor(fresh, [B, G, 1, D])], 2);
  const q = permute(tensor(inputs.q, [B, 1, H, D]), [0, 2, 1, 3]);
  const [k, v] = [held(inputs.pastKey, inputs.k), held(inputs.pastValue, inputs.v)];
  return () => permute(attention(q, k, v).out, [0, 2, 1, 3]);
}
