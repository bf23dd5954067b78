/** Masks compose with and, or, not; a map of 64 × 64 blocks says what they come to, before anything is computed. */

import {
  and,
  attention,
  causal,
  compileMask,
  documents,
  globalTokens,
  loadBackend,
  maskMod,
  normal,
  not,
  or,
  RandomStream,
  setBackend,
  slidingWindow,
} from 'keyhole';

setBackend(await loadBackend());
const [H, L, D] = [2, 512, 16];
const random = new RandomStream(30);
const [q, k, v] = [0, 1, 2].map(() => normal([1, H, L, D], { random }));
if (!q || !k || !v) throw new Error('unreachable');

const everyThird = maskMod((_b, _h, query, key) => (query - key) % 3 === 0, { perBatch: false, perHead: false });
const masks = {
  longformer: or(slidingWindow({ left: 64, right: 64 }), globalTokens([0])),
  'packed documents': and(causal(), documents([200, 100, 212])),
  'not every third': and(causal(), not(everyThird)),
  contradiction: and(causal(), not(causal())),
};

for (const [name, mask] of Object.entries(masks)) {
  const { counts, densityRatio } = compileMask(mask, { L });
  const { record } = attention(q, k, v, { mask, record: {} });
  const { warnings = ['no warning'] } = record.read();
  console.log(name, counts, `${(100 * densityRatio).toFixed(1)} % of the pairs;`, ...warnings);
}
