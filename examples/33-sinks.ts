/** Attention sinks: with a logit that has no value a head can attend to nothing, and the record shows how much it did. */

import { attention, backward, loadBackend, setBackend, sum, tensor, zeros } from 'keyhole';

setBackend(await loadBackend());
const [B, H, L, D] = [1, 3, 4, 2];
const [q, k] = [zeros([B, H, L, D]), zeros([B, H, L, D])];
const v = tensor(new Float32Array(B * H * L * D).fill(1), [B, H, L, D]);

const sinks = tensor([-Infinity, 0, Math.log(12)], [H]); // none, the off-by-one softmax, three quarters of all weight
sinks.requiresGrad = true;
const { out, record } = attention(q, k, v, { sinks, record: { window: L } });

const { windowMass, entropyNats } = record.read().statistics;
for (let h = 0; h < H; h++) {
  const row = h * L;
  const kept = (windowMass[row] ?? 0).toFixed(2);
  console.log(`head ${h}: keys get ${kept}, out is ${(out.toArray()[row * D] ?? 0).toFixed(2)}`);
  if (h === 0) console.log(`        entropy ${(entropyNats[row] ?? 0).toFixed(3)} = ln 4`);
}

backward(sum(out)); // more sink, less out
console.log('gradient', Array.from(sinks.grad?.toArray() ?? [], (x) => x.toFixed(2)).join(' '));
