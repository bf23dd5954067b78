/** What came before self-attention: one distribution over the words of a sentence, and plain pooling beside it. */

import {
  AdditiveAttention,
  capture,
  DotAttention,
  loadBackend,
  normal,
  Pooling,
  RandomStream,
  setBackend,
} from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(7);

const words = normal([2, 5, 8], { random }); // [B, L, E]
const lengths = [5, 3]; // the second sentence ends with two words of padding

const layers = {
  additive: new AdditiveAttention({ width: 8, hidden: 4 }, random), // Bahdanau et al. 2015, with a learned query
  general: new DotAttention({ width: 8, form: 'general' }, random), // Luong et al. 2015
  mean: new Pooling('mean'),
};

for (const [name, layer] of Object.entries(layers)) {
  const [seen] = capture(layer, { record: { rows: 'all' } }, (context) => layer.forward(words, context, { lengths }));
  const weights = Array.from(seen?.record.weights?.values ?? [], (weight) => weight.toFixed(2));
  console.log(name.padEnd(9), weights.slice(0, 5).join(' '), ' | ', weights.slice(5).join(' '));
}

// A query may come with every call: what matters depends on what is asked.
const asked = new AdditiveAttention({ width: 8, queryWidth: 3 }, random);
const query = normal([2, 3], { random });
const [seen] = capture(asked, { record: { rows: 'all' } }, (context) =>
  asked.forward(words, context, { lengths, query }),
);
console.log('entropy  ', Array.from(seen?.record.statistics.entropyNats ?? [], (value) => value.toFixed(2)).join(' '));
