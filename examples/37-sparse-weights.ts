/** Other ways from scores to weights than softmax: sparse, few, independent, or mixed between the heads. */

import {
  attention,
  causal,
  entmax15,
  loadBackend,
  type Normaliser,
  normal,
  RandomStream,
  setBackend,
  sigmoidWeights,
  softmax,
  sparsemax,
  talkingHeads,
  tensor,
  topKWeights,
} from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(5);
const make = () => normal([1, 2, 6, 8], { random });
const [q, k, v] = [make(), make(), make()];

const mix = tensor([0.8, 0.2, 0.2, 0.8], [2, 2]); // each head listens to the other
const normalisers: Record<string, Normaliser> = {
  softmax,
  'entmax 1.5': entmax15,
  sparsemax,
  'top 2': topKWeights(2),
  sigmoid: sigmoidWeights(),
  talking: talkingHeads({ before: mix, normaliser: entmax15 }),
};

for (const [name, normaliser] of Object.entries(normalisers)) {
  const { record } = attention(q, k, v, { normaliser, mask: causal(), record: { rows: [5] } });
  const { statistics, weights } = record.read();
  const row = Array.from(weights?.values.subarray(0, 6) ?? [], (weight) => weight.toFixed(2));
  console.log(name.padEnd(10), row.join(' '), '  entropy', statistics.entropyNats[5]?.toFixed(2));
}
