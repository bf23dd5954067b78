/** Gradient × attention: which keys one output depends on, for and against, without building the weights. */

import { attention, causal, loadBackend, normal, RandomStream, setBackend, tensor } from 'keyhole';
import { attentionRelevance } from 'keyhole/attention';

setBackend(await loadBackend());
const random = new RandomStream(2);
const [L, D] = [6, 8];
const make = () => normal([1, 1, L, D], { random });
const [q, k, v, mask] = [make(), make(), make(), causal()];
const { lse } = attention(q, k, v, { mask });

// The output to explain is the first value of the last row, so its gradient is 1 there and 0 elsewhere.
const dout = tensor(
  Float32Array.from({ length: L * D }, (_, at) => Number(at === (L - 1) * D)),
  [1, 1, L, D],
);
const relevance = attentionRelevance({ q, k, v, lse, mask, dout }).toArray();
for (const [key, value] of relevance.entries()) console.log(`key ${key}  ${value.toFixed(3)}`);
