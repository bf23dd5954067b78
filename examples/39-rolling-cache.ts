/** A cache that forgets: the first few positions and a window of the last ones, for texts without an end. */

import { attention, causal, loadBackend, noGrad, normal, RandomStream, RollingCache, scope, setBackend } from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(9);

// A query sees itself, the 31 positions before it, and the first 4 for good (attention sinks).
const cache = new RollingCache({ window: 32, sinks: 4 });

noGrad(() => {
  for (let token = 0; token < 1000; token++)
    scope(() => {
      const make = (heads: number) => normal([1, heads, 1, 16], { random }); // 8 query heads share 2 key heads
      const [q, k, v] = [make(8), make(2), make(2)];
      const { record } = attention(q, k, v, { mask: causal(), cache, record: { statistics: true } });
      if (token % 250 !== 249) return;
      const { keys, firstMass } = record.read().statistics;
      console.log(
        `token ${token + 1}: sees ${keys[0]} keys, held ${cache.heldLength}, first ${firstMass[0]?.toFixed(3)}`,
      );
    });
});
cache.dispose();
