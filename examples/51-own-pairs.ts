/** A task of one's own that turns texts into texts: its data, its score and its baseline, and the rest is there. */

import { backward, loadBackend, RandomStream, scope, setBackend } from 'keyhole';
import { encoderDecoderKeys, PieceText, resolveConfig, sequenceTask, summaryScores, trainingKeys } from 'keyhole/tasks';
import { AdamW } from 'keyhole/train';
import { z } from 'zod';

setBackend(await loadBackend());
const schema = z.object({ ...encoderDecoderKeys, ...trainingKeys });
const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** A note and its heading: who, and when. */
const notes = ['anna', 'ben', 'carla', 'david', 'eva', 'felix', 'greta', 'hugo'].flatMap((name) =>
  days.map((day) => ({ text: `on ${day} we had a long talk, and ${name} paid`, answers: [`${name}, ${day}`] })),
);
const heldOut = notes.filter((_, index) => index % 8 === 3);

const headings = sequenceTask<z.infer<typeof schema>>({
  name: 'headings',
  summary: 'a heading for a note',
  schema,
  presets: {},
  axes: { input: 'tokens of the note', output: 'tokens of the heading' },
  decides: { metric: 'rougeL', better: 'higher' },
  score: summaryScores,
  baselines: () => [{ name: 'first two words', answer: (input) => input.split(' ').slice(0, 2).join(' ') }],
  async load(_, stored) {
    const train = notes.filter((note) => !heldOut.includes(note));
    const text = stored ? PieceText.read('headings', stored) : PieceText.learn('headings', train, 400);
    return { text, splits: text.examples({ train, validation: heldOut, test: heldOut }), notices: [] };
  },
  reopen: (_, stored) => PieceText.read('headings', stored),
});

const sizes = { width: 32, heads: 2, hidden: 64, encoderLayers: 1, decoderLayers: 1, dropout: 0, labelSmoothing: 0 };
const learning = { steps: 200, batchTokens: 512, learningRate: 5e-3, warmupSteps: 1, evaluateEvery: 200 };
const open = await headings.open(resolveConfig('headings', schema, { ...sizes, ...learning }));

const [batches, optimiser] = [open.batches({ epoch: 0, index: 0 }), new AdamW(open.model)];
for (let step = 1; step <= 200; step++) {
  const { batch } = batches.next().value;
  scope(() => {
    backward(open.loss(batch, { training: true, random: new RandomStream(step) }).loss);
    optimiser.update({ step, rate: 5e-3, gradientScale: 1 });
  });
}
console.log('model', open.evaluate('test'));
console.log(open.tables?.('test')[0]);
const [note = ''] = open.samples;
console.log(note, '→', open.answer(note).output);
