/** Looking into a whole model: every attention module, by path, as plain data. */

import { capture, EncoderDecoder, loadBackend, RandomStream, setBackend, tensor } from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(5);

const model = new EncoderDecoder(
  {
    sourceVocabulary: 20,
    targetVocabulary: 20,
    width: 16,
    heads: 2,
    hidden: 32,
    encoderLayers: 2,
    decoderLayers: 2,
    dropout: 0,
    maxLength: 16,
  },
  random,
);
const source = { ids: tensor([3, 4, 5, 6, 7, 2], [1, 6], { dtype: 'i32' }), lengths: [6] };
const target = tensor([1, 8, 9], [1, 3], { dtype: 'i32' });

const trace = capture(model, {}, (context) => model.forward(source, target, context));

for (const { path, kind, record } of trace) {
  const { entropyNats, keys } = record.statistics;
  const ratios = Array.from(entropyNats, (entropy, row) => entropy / Math.log(Math.max(2, keys[row] ?? 2)));
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  console.log(`${path.padEnd(34)} ${kind.padEnd(5)} ${record.queries} × ${record.keys}  entropy ${mean.toFixed(2)}`);
}
