/** Linear attention: the past fits in one small matrix, so decoding a token costs the same however long the text is. */

import { linearAttention, loadBackend, noGrad, normal, RandomStream, setBackend, slice, type Tensor } from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(8);
const length = 300;
const make = () => normal([1, 2, length, 16], { random });
const [q, k, v] = [make(), make(), make()];

const whole = linearAttention(q, k, v, { causal: true });
console.log('state    ', whole.state.shape.join(' × '), 'for', length, 'tokens');

// Token by token, with the state of the one before. A feature map of your own is a function of tensors.
let state: Tensor | undefined;
let largest = 0;
noGrad(() => {
  for (let i = 0; i < length; i++) {
    const at = (x: Tensor) => slice(x, 2, i, i + 1); // [B, H, 1, D]
    const step = linearAttention(at(q), at(k), at(v), { causal: true, state });
    const expected = at(whole.out).toArray();
    step.out.toArray().forEach((value, index) => {
      largest = Math.max(largest, Math.abs(value - (expected[index] ?? 0)));
    });
    state = step.state;
  }
});
console.log('decoding equals the whole sequence to 1e-5:', largest < 1e-5);

const { record } = linearAttention(q, k, v, { causal: true, record: { topK: 3 } });
const { top } = record?.read() ?? {};
const last = 3 * (length - 1);
console.log(
  'last row ',
  Array.from(top?.weights.subarray(last, last + 3) ?? [], (weight) => weight.toFixed(4)).join(' '),
);
