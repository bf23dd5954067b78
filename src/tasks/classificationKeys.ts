/** Keys of every task that classifies texts. */

import { z } from 'zod';
import { mixers, positionKinds } from '../models/textClassifier.js';
import { trainingKeys } from './trainingKeys.js';

/** Model and training; a task's schema spreads them and adds where its data comes from. */
export const classifierKeys = {
  mixer: z
    .enum(mixers)
    .default('multi')
    .describe('how words come together: pooled, one distribution, or self-attention'),
  positions: z.enum(positionKinds).default('sinusoidal').describe('what tells the model the order of words'),
  window: z.int().min(0).default(0).describe('self-attention reaches so many words to either side; 0 = all'),
  sentenceBlocks: z
    .int()
    .min(0)
    .default(0)
    .describe('so many of the first blocks of self-attention read each sentence by itself'),
  startAlike: z.boolean().default(false).describe('self-attention starts by looking at words like the one that asks'),
  width: z.int().min(1).describe('model width E'),
  heads: z.int().min(1).describe('attention heads H; width is a multiple'),
  hidden: z.int().min(1).describe('feed-forward width F; pooling models get 2E more, to be as large'),
  layers: z.int().min(1).describe('blocks'),
  dropout: z.number().min(0).max(0.9).default(0.1).describe('dropout while training'),
  context: z.int().min(2).describe('words that the model sees of a text; the rest is cut and counted'),
  vocabularySize: z.int().min(1).default(10_000).describe('words with an id of their own, the most frequent ones'),
  ...trainingKeys,
  labelSmoothing: trainingKeys.labelSmoothing.default(0),
} as const;
