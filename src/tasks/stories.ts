/**
 * Task `stories`: questions about little worlds whose answer needs one to three sentences, far apart (bAbI tasks 1, 2, 3,
 * 15 and 16). Stories are made, not loaded: seeds, distractors and distances are keys. What is made: ../data/stories.ts.
 */

import { z } from 'zod';
import { RandomStream } from '../core/random.js';
import type { Split } from '../data/split.js';
import { drawStory, type Story, storyKinds, storyText } from '../data/stories.js';
import { classificationTask } from './classification.js';
import type { LabelledSplits, LabelledText } from './classificationData.js';
import { classifierKeys } from './classificationKeys.js';

const kind = z.union(storyKinds.map((number) => z.literal(number)));

const schema = z.object({
  kinds: z
    .array(kind)
    .min(1)
    .default([...storyKinds])
    .describe('kinds of stories, numbered as the tasks of bAbI'),
  stories: z
    .int()
    .min(20)
    .describe('stories of each kind to learn from; a tenth of it more, 2,000 at most, to steer by and to test'),
  maxDistance: z.int().min(1).describe('sentences from the first one needed to the question, at most'),
  lead: z.int().min(0).default(3).describe('sentences before the first one needed, at most'),
  storySeed: z.int().min(0).default(1).describe('seed of the stories'),
  ...classifierKeys,
});

type StoriesConfig = z.infer<typeof schema>;

/** Most held-out stories of a kind. */
const mostHeldOut = 2000;

/** Stories of all parts; none is in two of them, and parts are drawn from streams of their own. */
export function makeStories(
  config: Pick<StoriesConfig, 'kinds' | 'stories' | 'maxDistance' | 'lead' | 'storySeed'>,
): LabelledSplits {
  const random = new RandomStream(config.storySeed);
  const heldOut = Math.min(mostHeldOut, Math.ceil(config.stories / 10));
  const taken = new Set<string>();
  const part = (split: Split, count: number): LabelledText[] =>
    config.kinds.flatMap((number) => {
      const stream = random.fork(`${split} ${number}`);
      const own = Array.from({ length: count }, () => labelled(drawStory(number, config, stream)));
      return own.filter(({ text }) => !taken.has(text) && taken.add(text));
    });
  // Held-out stories first: what is drawn twice is left out of what is learned from.
  const [test, validation] = [part('test', heldOut), part('validation', heldOut)];
  return { test, validation, train: part('train', config.stories) };
}

function labelled(story: Story): LabelledText {
  const { kind: number, distance, support } = story;
  return { text: storyText(story), label: story.answer, groups: { kind: number, distance }, support };
}

export const stories = classificationTask<StoriesConfig>({
  name: 'stories',
  summary: 'questions about little worlds, in the manner of bAbI tasks 1, 2, 3, 15, 16',
  schema,
  presets: {
    quick: {
      ...{ stories: 20_000, maxDistance: 6, lead: 2, positions: 'sentences', context: 96, dropout: 0 },
      ...{ sentenceBlocks: 1, startAlike: true, width: 64, heads: 4, hidden: 128, layers: 3 },
      ...{ batchTokens: 2048, steps: 2400, learningRate: 2e-3, warmupSteps: 100, evaluateEvery: 400 },
    },
    full: {
      ...{ stories: 40_000, maxDistance: 10, lead: 3, positions: 'sentences', context: 128, dropout: 0 },
      ...{ sentenceBlocks: 1, startAlike: true, width: 64, heads: 4, hidden: 128, layers: 3 },
      ...{ batchTokens: 3072, steps: 12_000, learningRate: 2e-3, warmupSteps: 100, evaluateEvery: 500 },
    },
  },
  decides: 'accuracy',
  async load(config) {
    const splits = makeStories(config);
    const kept = splits.train.length + splits.validation.length + splits.test.length;
    const heldOut = Math.min(mostHeldOut, Math.ceil(config.stories / 10));
    const drawn = config.kinds.length * (config.stories + 2 * heldOut);
    return { splits, notices: drawn > kept ? [`${drawn - kept} stories were drawn twice and left out`] : [] };
  },
});
