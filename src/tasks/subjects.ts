/**
 * Task `subjects`: the subject line of a mail from its body, on the ham of the SpamAssassin corpus. Replies and mails that
 * are nearly the same are on one side of the split. Baseline: the first words of the body.
 */

import { z } from 'zod';
import { loadMails, type Mail } from '../data/mail.js';
import { splitWords } from '../data/words.js';
import { splitApart } from './labelledSplits.js';
import type { SequenceSplits } from './sequenceData.js';
import { type Baseline, summaryScores } from './sequenceScores.js';
import { PieceText, type SequenceText } from './sequenceText.js';
import { sequenceTask } from './sequenceToSequence.js';
import { encoderDecoderKeys, trainingKeys } from './trainingKeys.js';

const schema = z.object({
  vocabularySize: z.int().min(256).describe('pieces of words, learned from bodies and subjects together'),
  ...encoderDecoderKeys,
  ...trainingKeys,
  maxLength: encoderDecoderKeys.maxLength.describe('longest body in tokens, what follows is cut; longest subject'),
  beams: z.int().min(1).max(32).default(1).describe('hypotheses kept while decoding for the final figures; 1 = greedy'),
});

type SubjectsConfig = z.infer<typeof schema>;

const ratios = { train: 80, validation: 10, test: 10 };

export const subjects = sequenceTask<SubjectsConfig>({
  name: 'subjects',
  summary: "the subject line from a mail's body (ham of the SpamAssassin corpus)",
  schema,
  presets: {
    quick: {
      ...{ width: 96, heads: 4, hidden: 192, encoderLayers: 1, decoderLayers: 1, maxLength: 128, vocabularySize: 2000 },
      ...{ batchTokens: 2048, steps: 500, learningRate: 2e-3, warmupSteps: 50, evaluateEvery: 250, dropout: 0.2 },
    },
    full: {
      ...{
        width: 192,
        heads: 6,
        hidden: 384,
        encoderLayers: 2,
        decoderLayers: 2,
        maxLength: 256,
        vocabularySize: 6000,
      },
      ...{ batchTokens: 8192, steps: 5000, learningRate: 1e-3, warmupSteps: 300, evaluateEvery: 500, dropout: 0.3 },
      ...{ averageDecay: 0.99, beams: 4 },
    },
  },
  axes: { input: 'tokens of the body', output: 'tokens of the subject' },
  decides: { metric: 'rougeL', better: 'higher' },
  score: summaryScores,
  baselines: ({ train }, text) => [leadWords(train, text)],
  longInputs: 'cut',
  async load({ vocabularySize }, stored) {
    const ham = (await loadMails()).filter(({ spam }) => !spam);
    const pairs = ham.map(pairOf).filter(({ text, answers: [subject] }) => text !== '' && subject !== '');
    const keys = pairs.map(({ answers: [subject = ''] }) => subject.toLowerCase());
    const { splits, grouped } = splitApart(pairs, splitWords, ratios, { keys });
    const text = stored
      ? PieceText.read('subjects', stored)
      : PieceText.learn('subjects', splits.train, vocabularySize);
    const notices = [
      `${ham.length - pairs.length} mails without a body or a subject were left out`,
      `${grouped} of ${pairs.length} mails share their subject or most of their body; those stay on one side`,
    ];
    return { text, splits: text.examples(splits), notices };
  },
  reopen: (_, stored) => PieceText.read('subjects', stored),
});

/** Body and subject; marks of replies and lists, which no body tells, are left out. */
export function pairOf({ body, subject }: Pick<Mail, 'body' | 'subject'>): { text: string; answers: [string] } {
  const plain = subject.replace(/^(?:\s*(?:(?:re|fwd?|aw)(?:\[\d+\])?:|\[[^\]]*\]))+/i, '');
  return { text: body.trim(), answers: [plain.replace(/\s+/g, ' ').trim()] };
}

/** As many words from the beginning of the body as subjects have on average. */
function leadWords(train: SequenceSplits['train'], text: SequenceText): Baseline {
  const wordsIn = (all: string): string[] => all.split(/\s+/).filter((word) => word !== '');
  const total = train.reduce((sum, { targets }) => sum + wordsIn(text.join(targets[0] ?? [])).length, 0);
  const count = Math.max(1, Math.round(total / Math.max(1, train.length)));
  return { name: `first ${count} words`, answer: (body) => wordsIn(body).slice(0, count).join(' ') };
}
