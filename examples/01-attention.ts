/** One attention call: three queries look at three keys and mix three values. */

import { attention, causal, loadBackend, setBackend, tensor } from 'keyhole';

setBackend(await loadBackend()); // native, WASM or reference: the best that works here

// [B, H, L, D] = [1, 1, 3, 2]: one sequence, one head, three positions, two numbers each
const q = tensor([1, 0, 0, 1, 1, 1], [1, 1, 3, 2]);
const k = tensor([1, 0, 0, 1, 1, 1], [1, 1, 3, 2]);
const v = tensor([10, 20, 30], [1, 1, 3, 1]);

const { out } = attention(q, k, v, { mask: causal() });

// Position 0 sees only itself, so it must give 10; the later ones mix what came before.
console.log(Array.from(out.toArray(), (value) => value.toFixed(2)).join(' '));
