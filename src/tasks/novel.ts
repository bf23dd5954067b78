/**
 * Task `novel`: a language model of a book, character by character or in pieces of words, on Moby-Dick or any text. The
 * preset `nanogpt-cpu` is the CPU recipe of nanoGPT, which reports a validation loss of 1.88 on tiny Shakespeare.
 */

import { z } from 'zod';
import { ByteLevelBpe } from '../data/byteLevelBpe.js';
import { CharacterTokenizer } from '../data/characterTokenizer.js';
import { loadText, mobyDick } from '../data/text.js';
import type { TextTokenizer } from '../data/textTokenizer.js';
import { languageTask } from './languageModelling.js';
import { splitText } from './textData.js';
import { languageModelKeys, trainingKeys } from './trainingKeys.js';

const schema = z.object({
  data: z.string().min(1).default(mobyDick).describe(`${mobyDick}, or the path of a UTF-8 text`),
  validationRatio: z.number().gt(0).lt(1).default(0.1).describe('share of the text, at its end, that is held out'),
  tokens: z.enum(['characters', 'bpe']).default('characters').describe('what a token is; bpe learns pieces of words'),
  vocabularySize: z.int().min(256).default(1024).describe('tokens that bpe learns'),
  ...languageModelKeys,
  ...trainingKeys,
  labelSmoothing: trainingKeys.labelSmoothing.default(0),
  temperature: z.number().min(0).default(0.8).describe('answers: divides the scores; 0 = the best token always'),
  topK: z.int().min(0).default(0).describe('answers: only the k best tokens; 0 = all'),
  topP: z.number().gt(0).max(1).default(1).describe('answers: only the best tokens with this probability together'),
  answerTokens: z.int().min(1).default(200).describe('answers: tokens to write'),
  answerSeed: z.int().min(0).default(1).describe('answers: seed of the choice'),
});

type NovelConfig = z.infer<typeof schema>;

/** What GPT-2 and nanoGPT agree on for small models; the average is added, for the rate does not go down to 0. */
const recipe: Partial<NovelConfig> = {
  bias: false,
  learningRate: 1e-3,
  finalRateRatio: 0.1,
  warmupSteps: 100,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.1,
  averageDecay: 0.99,
};

/** `train.py config/train_shakespeare_char.py` with the settings for a CPU in the README of nanoGPT. */
const nanogptCpu: Partial<NovelConfig> = {
  ...recipe,
  layers: 4,
  heads: 4,
  width: 128,
  hidden: 512,
  context: 64,
  dropout: 0,
  batchTokens: 12 * 64,
  steps: 2000,
  evaluateEvery: 1000,
};

const full: Partial<NovelConfig> = {
  ...recipe,
  tokens: 'bpe',
  vocabularySize: 2048,
  layers: 6,
  heads: 6,
  width: 192,
  hidden: 768,
  context: 128,
  dropout: 0.1,
  batchTokens: 16 * 128,
  steps: 6000,
  evaluateEvery: 500,
};

export const novel = languageTask<NovelConfig>({
  name: 'novel',
  summary: 'language model of a text (Moby-Dick, or data=FILE)',
  schema,
  presets: { quick: { ...nanogptCpu, steps: 1500, evaluateEvery: 500 }, full, 'nanogpt-cpu': nanogptCpu },
  async load({ data, validationRatio, ...keys }, known) {
    const text = await loadText(data);
    const { train, validation } = splitText(text, validationRatio);
    const tokenizer = known ?? tokenizerFor(text, train, keys);
    const parts = { train: tokenizer.encode(train), validation: tokenizer.encode(validation) };
    return { tokenizer, parts, notices: [] };
  },
});

/** Characters are those of the whole text, because one that is missing has no id; pieces are learned without looking ahead. */
function tokenizerFor(
  text: string,
  train: string,
  { tokens, vocabularySize }: Pick<NovelConfig, 'tokens' | 'vocabularySize'>,
): TextTokenizer {
  return tokens === 'bpe' ? ByteLevelBpe.train(train, vocabularySize) : CharacterTokenizer.of(text);
}
