/** Positions by distance: how ALiBi, T5's buckets and Shaw's keys change what one query attends to, all scores being equal. */

import {
  alibi,
  alibiSlopes,
  attention,
  causal,
  loadBackend,
  peek,
  RandomStream,
  rope,
  setBackend,
  shaw,
  T5RelativeBias,
  zeros,
} from 'keyhole';
import { normal } from 'keyhole/tensor';

setBackend(await loadBackend());
const random = new RandomStream(32);
const [B, H, L, D] = [1, 2, 6, 4];
const [q, k, v] = [zeros([B, H, L, D]), zeros([B, H, L, D]), zeros([B, H, L, D])];
const mask = causal();

const t5 = new T5RelativeBias({ heads: H, buckets: 8, maxDistance: 16, bidirectional: false }, random);
t5.weight.write(Array.from({ length: 8 * H }, (_, at) => -Math.floor(at / H))); // one less a bucket
const biases = {
  'alibi  ': alibi(alibiSlopes(H)),
  't5     ': t5.forward(),
  'shaw   ': shaw({ keys: normal([2 * 2 + 1, D], { random }), values: normal([2 * 2 + 1, D], { random }) }),
};
for (const [name, bias] of Object.entries(biases)) {
  const { lse } = attention(q, k, v, { mask, bias });
  const weights = peek({ q, k, lse, mask, bias }, { rows: [L - 1], head: 0 }).toArray();
  console.log(name, Array.from(weights, (weight) => weight.toFixed(2)).join(' ')); // q = 0, so Shaw's keys say nothing
}

const x = normal([B, H, L, D], { random });
const [turned] = rope(x, x);
const length = (values: ArrayLike<number>): string => Math.hypot(...Array.from(values)).toFixed(3);
console.log('rotary turns and keeps lengths:', length(x.toArray()) === length(turned.toArray()));
