/** Gradients: which key should move, and where to, so that the answer comes closer to a target? */

import { attention, backward, loadBackend, mean, setBackend, square, subtract, tensor } from 'keyhole';

setBackend(await loadBackend());

const q = tensor([1, 0], [1, 1, 1, 2]);
const k = tensor([0, 1, 0, -1], [1, 1, 2, 2], { requiresGrad: true });
const v = tensor([0, 1], [1, 1, 2, 1]);

const { out } = attention(q, k, v);
const loss = mean(square(subtract(out, 1))); // we want the value of the second key
backward(loss);

console.log('out ', out.item().toFixed(3), ' loss', loss.item().toFixed(3));
// Row 0 is pushed away from q, row 1 towards it: a step goes against the gradient.
console.log('dk  ', Array.from(k.grad?.toArray() ?? [], (value) => value.toFixed(3)).join(' '));
