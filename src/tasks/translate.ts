/**
 * Task `translate`: English interface texts to Spanish or German, in pieces of words. Texts of the same template are on
 * one side of the split. Baselines: leave the text as it is, and take the translation of the nearest known text.
 */

import { z } from 'zod';
import { loadInterfaceTexts } from '../data/interfaceTexts.js';
import { splitWords } from '../data/words.js';
import { splitApart } from './labelledSplits.js';
import { NearestText } from './nearestText.js';
import type { SequenceSplits } from './sequenceData.js';
import { type Baseline, translationScores } from './sequenceScores.js';
import { PieceText, type SequenceText } from './sequenceText.js';
import { sequenceTask } from './sequenceToSequence.js';
import { encoderDecoderKeys, trainingKeys } from './trainingKeys.js';

const schema = z.object({
  language: z.enum(['es', 'de']).default('es').describe('es = Spanish, de = German'),
  vocabularySize: z.int().min(256).describe('pieces of words, learned from both languages together'),
  ...encoderDecoderKeys,
  ...trainingKeys,
  beams: z.int().min(1).max(32).default(1).describe('hypotheses kept while decoding for the final figures; 1 = greedy'),
});

type TranslateConfig = z.infer<typeof schema>;

/** Interface texts are short: with runs of four words most would be compared as a whole. */
const template = { run: 2 };

/** A tenth to steer by and a tenth to report on, as there are few texts. */
const ratios = { train: 80, validation: 10, test: 10 };

export const translate = sequenceTask<TranslateConfig>({
  name: 'translate',
  summary: 'English interface texts to Spanish or German (language packs of VS Code)',
  schema,
  presets: {
    quick: {
      ...{ width: 128, heads: 4, hidden: 256, encoderLayers: 2, decoderLayers: 2, maxLength: 48, vocabularySize: 2000 },
      ...{ batchTokens: 1536, steps: 900, learningRate: 2e-3, warmupSteps: 100, evaluateEvery: 300, dropout: 0.1 },
    },
    full: {
      ...{ width: 256, heads: 8, hidden: 512, encoderLayers: 3, decoderLayers: 3, maxLength: 96, vocabularySize: 4000 },
      ...{ batchTokens: 4096, steps: 8000, learningRate: 1e-3, warmupSteps: 500, evaluateEvery: 500, dropout: 0.3 },
      ...{ averageDecay: 0.99, beams: 4 },
    },
  },
  axes: { input: 'tokens of English', output: 'tokens written' },
  decides: { metric: 'chrf', better: 'higher' },
  score: translationScores,
  baselines: ({ train }, text) => [
    { name: 'copy the source', answer: (input) => input },
    nearestNeighbour(train, text),
  ],
  async load({ language, vocabularySize }, stored) {
    const { texts, untranslated } = await loadInterfaceTexts(language);
    const pairs = texts.map(({ text, translations }) => ({ text, answers: translations }));
    const { splits, grouped } = splitApart(pairs, splitWords, ratios, template);
    const text = stored
      ? PieceText.read('translate', stored)
      : PieceText.learn('translate', splits.train, vocabularySize);
    const notices = [
      `${untranslated} messages are the same in both languages and were left out`,
      `${grouped} of ${pairs.length} texts share a template with another; those stay on one side`,
    ];
    return { text, splits: text.examples(splits), notices };
  },
  reopen: (_, stored) => PieceText.read('translate', stored),
});

/** The first translation of the known text that shares most runs of characters with the input. */
function nearestNeighbour(train: SequenceSplits['train'], text: SequenceText): Baseline {
  const index = new NearestText(train.map(({ input }) => input));
  const answer = (input: string): string => {
    const known = train[index.find(input) ?? -1];
    return known ? text.join(known.targets[0] ?? []) : input;
  };
  return { name: 'nearest neighbour', answer };
}
