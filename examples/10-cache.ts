/** Generating step by step: a key/value cache gives the same result as the whole sequence at once. */

import { attention, causal, KeyValueCache, loadBackend, normal, RandomStream, setBackend, slice } from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(6);
const make = () => normal([1, 2, 5, 8], { random });
const [q, k, v] = [make(), make(), make()];

const whole = attention(q, k, v, { mask: causal() }).out;

const cache = new KeyValueCache();
let largest = 0;
for (let i = 0; i < 5; i++) {
  const at = (x: typeof q) => slice(x, 2, i, i + 1); // [B, H, 1, D]
  const { out } = attention(at(q), at(k), at(v), { mask: causal(), cache });
  const expected = at(whole).toArray();
  out.toArray().forEach((value, index) => {
    largest = Math.max(largest, Math.abs(value - (expected[index] ?? 0)));
  });
}
console.log(`cached keys ${cache.length}, largest difference below 1e-6: ${largest < 1e-6}`);
