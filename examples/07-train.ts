/** Training by hand: attention learns to look at the element before. Each step runs in a scope, so memory is reused. */

import {
  attention,
  backward,
  causal,
  expand,
  loadBackend,
  Module,
  mean,
  normal,
  RandomStream,
  scope,
  setBackend,
  slice,
  square,
  subtract,
  type Tensor,
} from 'keyhole';
import { AdamW } from 'keyhole/train';

setBackend(await loadBackend());
const random = new RandomStream(4);
const [B, L, D] = [16, 8, 16];

/** Queries and keys that depend on the position alone; the values are the input. */
class CopyPrevious extends Module {
  readonly q = normal([1, 1, L, D], { random, requiresGrad: true });
  readonly k = normal([1, 1, L, D], { random, requiresGrad: true });

  forward(x: Tensor): Tensor {
    const [q, k] = [expand(this.q, [B, 1, L, D]), expand(this.k, [B, 1, L, D])];
    return attention(q, k, x, { mask: causal() }).out; // [B, 1, L, D]
  }
}

const model = new CopyPrevious();
const optimiser = new AdamW(model, { weightDecay: 0 });

for (let step = 1; step <= 30; step++) {
  const loss = scope(() => {
    const x = normal([B, 1, L, D], { random });
    const wanted = slice(x, 2, 0, L - 1); // elements 0 … L-2
    const got = slice(model.forward(x), 2, 1, L); // at positions 1 … L-1
    const loss = mean(square(subtract(got, wanted)));
    backward(loss);
    optimiser.update({ step, rate: 0.02, gradientScale: 1 });
    return loss.item();
  });
  if (step === 1 || step % 10 === 0) console.log(`step ${step}: loss ${loss.toFixed(3)}`);
}
