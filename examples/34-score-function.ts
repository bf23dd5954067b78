/** A formula on scores, traced once and run inside the fused kernel: a learned, clipped relative bias and its gradient. */

import { attention, backward, loadBackend, normal, RandomStream, scoreMod, setBackend, sum, zeros } from 'keyhole';

setBackend(await loadBackend());
const [B, H, L, D, reach] = [1, 2, 6, 8, 2];
const random = new RandomStream(3);
const make = () => normal([B, H, L, D], { random });
const [q, k, v] = [make(), make(), make()];

const bias = zeros([H, 2 * reach + 1]); // one number for each head and distance −2 … 2
bias.requiresGrad = true;

const program = scoreMod((score, { h, q, k, lookup, where }) => {
  const distance = k.subtract(q);
  const near = score.add(lookup(bias, h, distance.clamp(-reach, reach).add(reach)));
  return where(distance.lessEqual(0), near, -Infinity); // causal, as part of the formula
});
console.log(`${program}\n`);

const { lse } = attention(q, k, v, { scoreMod: program });
backward(sum(lse)); // d lse / d score is the weight, so the gradient is the weight on each distance

const gradient = bias.grad?.toArray() ?? [];
for (let h = 0; h < H; h++) {
  const row = Array.from(gradient.slice(h * 5, h * 5 + 5), (weight) => weight.toFixed(2));
  console.log(`head ${h}: weight at distance ≤ −2, −1, 0, 1, ≥ 2: ${row.join(' ')}`);
}
