/** A statistic in a loss: training queries and keys until attention is as spread out as one asks, in O(L) memory. */

import {
  attention,
  attentionReceived,
  backward,
  causal,
  copyInto,
  loadBackend,
  mean,
  multiply,
  noGrad,
  normal,
  RandomStream,
  scope,
  setBackend,
  square,
  subtract,
  zeroGradients,
} from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(3);
const make = () => normal([1, 2, 8, 4], { random });
const [q, k, v] = [make(), make(), make()];
const [wantedNats, rate] = [0.6, 8];

for (const x of [q, k]) x.requiresGrad = true;

/** (mean entropy - wanted)², whose gradient goes through the fused kernel. */
function step(): number {
  return scope(() => {
    zeroGradients([q, k]);
    const { record } = attention(q, k, v, { mask: causal(), record: {} });
    const entropy = mean(record.tensor('entropyNats'));
    backward(square(subtract(entropy, wantedNats)));
    noGrad(() => {
      for (const x of [q, k]) if (x.grad) copyInto(x, subtract(x, multiply(x.grad, rate)));
    });
    return entropy.item();
  });
}

const entropies = Array.from({ length: 60 }, step);
const shown = [0, 5, 20, 59].map((at) => `step ${at}: ${entropies[at]?.toFixed(2)}`);
console.log(`mean entropy, wanted ${wantedNats}:`, shown.join('  '));

// What the keys receive: under a causal mask the early ones get most.
const mask = causal();
const { lse } = attention(q, k, v, { mask });
const received = attentionReceived({ q, k, lse, mask }).toArray();
console.log('received, head 0:', Array.from(received.subarray(0, 8), (sum) => sum.toFixed(2)).join(' '));
