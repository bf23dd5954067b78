/** Keys that configurations share: of every training, and of the two kinds of models. A task's schema spreads them. */

import { z } from 'zod';

const ratio = (): z.ZodNumber => z.number().min(0).lt(1);

/** Keys that every training task has. */
export const trainingKeys = {
  seed: z.int().min(0).default(1).describe('seed of everything random'),
  steps: z.int().min(1).describe('optimiser steps'),
  batchTokens: z.int().min(1).describe('padded tokens in a batch, all sequences together'),
  accumulate: z.int().min(1).default(1).describe('batches whose gradients are added up before a step'),
  optimiser: z.enum(['adamw', 'sgd', 'lion']).default('adamw').describe('update rule'),
  learningRate: z.number().positive().describe('peak learning rate'),
  schedule: z
    .enum(['cosine', 'inverseSquareRoot', 'linear', 'constant', 'oneCycle'])
    .default('cosine')
    .describe('decay after warm-up'),
  warmupSteps: z.int().min(0).describe('steps of warm-up'),
  finalRateRatio: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('rate at the end of cosine, linear and oneCycle, over the peak'),
  beta1: ratio().default(0.9).describe('decay of the mean gradient (adamw, lion); momentum (sgd)'),
  beta2: ratio().default(0.98).describe('decay of the mean square (adamw), of the momentum (lion)'),
  epsilon: z.number().positive().default(1e-9).describe('added to the root of the mean square (adamw)'),
  weightDecay: z.number().min(0).default(0.01).describe('decoupled weight decay of matrices; none on biases and norms'),
  decayEmbeddings: z.boolean().default(false).describe('weightDecay is for tables of embeddings and positions too'),
  clipNorm: z.number().positive().default(1).describe('gradients are scaled down to this global norm'),
  labelSmoothing: z.number().min(0).max(0.9).default(0.1).describe('probability spread over all classes'),
  averageDecay: ratio()
    .default(0)
    .describe('decay of the exponential moving average that is kept and judged; 0 = none'),
  freeze: z.array(z.string()).default([]).describe('module paths whose parameters stay as they are, such as blocks.0'),
  unfreezeAfter: z.int().min(0).default(0).describe('steps after which what is frozen learns too; 0 = never'),
  badBatch: z.enum(['stop', 'skip']).default('stop').describe('what a loss or gradient that is not finite does'),
  alarmDeviations: z
    .number()
    .min(0)
    .default(8)
    .describe('alarm when loss or gradient norm is so many deviations above its running mean; 0 = never'),
  evaluateEvery: z.int().min(1).describe('steps between evaluations'),
  sinks: z
    .array(z.enum(['tensorboard', 'console', 'prometheus']))
    .default(['tensorboard'])
    .describe('where figures go beside metrics.jsonl: tensorboard, console, prometheus (metrics.prom); [] = nowhere'),
  patience: z.int().min(0).default(0).describe('evaluations without progress before stopping early; 0 = never'),
} as const;

const blockKeys = {
  width: z.int().min(1).describe('model width E'),
  heads: z.int().min(1).describe('attention heads H; width is a multiple'),
  hidden: z.int().min(1).describe('feed-forward width F'),
  dropout: z.number().min(0).max(0.9).default(0.1).describe('dropout while training'),
  stochasticDepth: z
    .number()
    .min(0)
    .max(0.9)
    .default(0)
    .describe('how often the last block is left out while training'),
  recompute: z.boolean().default(false).describe('compute blocks again for gradients: less memory, a third more time'),
} as const;

/** Keys of an encoder–decoder model. */
export const encoderDecoderKeys = {
  ...blockKeys,
  encoderLayers: z.int().min(1).describe('encoder blocks'),
  decoderLayers: z.int().min(1).describe('decoder blocks'),
  maxLength: z.int().min(2).default(64).describe('longest sequence in tokens'),
} as const;

/** Keys of a decoder-only model. */
export const languageModelKeys = {
  ...blockKeys,
  layers: z.int().min(1).describe('blocks'),
  context: z.int().min(2).describe('tokens that the model sees at once'),
  bias: z.boolean().default(true).describe('biases in linear layers and norms'),
  tied: z.boolean().default(true).describe('the output projection is the embedding table'),
} as const;
