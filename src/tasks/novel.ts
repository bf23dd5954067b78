/**
 * Task `novel`: a language model of a book, character by character or in pieces of words, on Moby-Dick or any text. The
 * preset `nanogpt-cpu` is the CPU recipe of nanoGPT, which reports a validation loss of 1.88 on tiny Shakespeare.
 */

import { z } from 'zod';
import { CharacterTokenizer } from '../data/characterTokenizer.js';
import { loadText, mobyDick } from '../data/text.js';
import { languageTask } from './languageModelling.js';
import { splitText } from './textData.js';
import { languageModelKeys, trainingKeys } from './trainingKeys.js';

const schema = z.object({
  data: z.string().min(1).default(mobyDick).describe(`${mobyDick}, or the path of a UTF-8 text`),
  validationRatio: z.number().gt(0).lt(1).default(0.1).describe('share of the text, at its end, that is held out'),
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

/** `python train.py config/train_shakespeare_char.py` with the settings for a CPU in the README of nanoGPT. */
const nanogptCpu: Partial<NovelConfig> = {
  layers: 4,
  heads: 4,
  width: 128,
  hidden: 512,
  context: 64,
  bias: false,
  dropout: 0,
  batchTokens: 12 * 64,
  steps: 2000,
  learningRate: 1e-3,
  finalRateRatio: 0.1,
  warmupSteps: 100,
  beta2: 0.99,
  epsilon: 1e-8,
  weightDecay: 0.1,
  evaluateEvery: 250,
};

export const novel = languageTask<NovelConfig>({
  name: 'novel',
  summary: 'language model of a text (Moby-Dick, or data=FILE)',
  schema,
  presets: { quick: { ...nanogptCpu }, full: { ...nanogptCpu }, 'nanogpt-cpu': nanogptCpu },
  async load({ data, validationRatio }, known) {
    const text = await loadText(data);
    const tokenizer = known ?? CharacterTokenizer.of(text);
    const { train, validation } = splitText(text, validationRatio);
    return {
      tokenizer,
      parts: { train: tokenizer.encode(train), validation: tokenizer.encode(validation) },
      notices: [],
    };
  },
});
