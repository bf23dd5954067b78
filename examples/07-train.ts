/** Training by hand: a layer learns to copy the element before. Each step runs in a scope, so memory is reused. */

import {
  backward,
  causal,
  inference,
  LearnedPositions,
  loadBackend,
  Module,
  mean,
  normal,
  RandomStream,
  SelfAttention,
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

class CopyPrevious extends Module {
  readonly positions = new LearnedPositions(8, 16, random);
  readonly attention = new SelfAttention(16, random, { valueProjection: false });

  forward(x: Tensor): Tensor {
    return this.attention.forward(this.positions.forward(x), inference(), { mask: causal() });
  }
}

const model = new CopyPrevious();
const optimiser = new AdamW(model, { weightDecay: 0 });

function lossOf(x: Tensor): Tensor {
  const wanted = slice(x, 1, 0, 7); // [B, 7, E]
  const got = slice(model.forward(x), 1, 1, 8); // [B, 7, E]
  return mean(square(subtract(got, wanted)));
}

for (let step = 1; step <= 300; step++) {
  const loss = scope(() => {
    const loss = lossOf(normal([16, 8, 16], { random }));
    backward(loss);
    optimiser.update({ step, rate: 0.02, gradientScale: 1 });
    return loss.item();
  });
  if (step === 1 || step % 100 === 0) console.log(`step ${step}: loss ${loss.toFixed(2)}`);
}
