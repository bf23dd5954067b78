/** A cache in pages: prompts of different lengths in one batch, and copies that share what they have in common. */

import {
  attention,
  causal,
  loadBackend,
  noGrad,
  normal,
  PagedCache,
  RandomStream,
  scope,
  setBackend,
  type Tensor,
} from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(10);
const cache = new PagedCache({ pages: 64, pageSize: 16 });

function step(batch: number, tokens: number): Tensor {
  const make = (heads: number) => normal([batch, heads, tokens, 16], { random });
  return attention(make(8), make(2), make(2), { mask: causal(), cache }).out;
}

function show(what: string): void {
  console.log(`${what.padEnd(28)} lengths ${cache.lengths.join(' ').padEnd(12)} free pages ${cache.freePages}`);
}

noGrad(() =>
  scope(() => {
    step(3, 100); // three prompts, padded on the right
    cache.truncate([100, 20, 57]); // what is real
    show('three prompts');

    for (let token = 0; token < 10; token++) step(3, 1);
    show('ten tokens later');

    cache.reorder([0, 0, 0, 0]); // four ways to go on from the first
    show('four copies of the first');

    step(4, 1);
    show('each goes its own way');
  }),
);
cache.dispose();
