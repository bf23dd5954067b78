/**
 * Configurations: one zod schema a task, presets over its defaults, `key=value` overrides over both. Unknown keys are
 * refused with the nearest known one. The result is complete and goes into run.json as it is.
 */

import { z } from 'zod';
import { UsageError } from '../core/errors.js';
import { nearest } from '../metrics/editDistance.js';

/** Keys that every training task has. */
export const trainingKeys = {
  seed: z.int().min(0).default(1).describe('seed of everything random'),
  steps: z.int().min(1).describe('optimiser steps'),
  batchTokens: z.int().min(1).describe('padded tokens in a batch, source and target together'),
  accumulate: z.int().min(1).default(1).describe('batches whose gradients are added up before a step'),
  learningRate: z.number().positive().describe('peak learning rate'),
  schedule: z
    .enum(['cosine', 'inverseSquareRoot', 'linear', 'constant'])
    .default('cosine')
    .describe('decay after warm-up'),
  warmupSteps: z.int().min(0).describe('steps of linear warm-up'),
  weightDecay: z.number().min(0).default(0.01).describe('decoupled weight decay; none on biases, norms and embeddings'),
  clipNorm: z.number().positive().default(1).describe('gradients are scaled down to this global norm'),
  labelSmoothing: z.number().min(0).max(0.9).default(0.1).describe('probability spread over all classes'),
  evaluateEvery: z.int().min(1).describe('steps between evaluations'),
  patience: z.int().min(0).default(0).describe('evaluations without progress before stopping early; 0 = never'),
} as const;

/** Keys of an encoder–decoder model. */
export const encoderDecoderKeys = {
  width: z.int().min(1).describe('model width E'),
  heads: z.int().min(1).describe('attention heads H; width is a multiple'),
  hidden: z.int().min(1).describe('feed-forward width F'),
  encoderLayers: z.int().min(1).describe('encoder blocks'),
  decoderLayers: z.int().min(1).describe('decoder blocks'),
  dropout: z.number().min(0).max(0.9).default(0.1).describe('dropout while training'),
  maxLength: z.int().min(2).default(64).describe('longest sequence in tokens'),
} as const;

/** Preset over defaults, overrides over both. `overrides` are `key=value` texts as the command line gives them. */
export function resolveConfig<Shape extends z.ZodRawShape>(
  task: string,
  schema: z.ZodObject<Shape>,
  preset: object,
  overrides: readonly string[] = [],
): z.infer<z.ZodObject<Shape>> {
  const known = Object.keys(schema.shape);
  const given = overrides.map((override) => parseOverride(task, override, known));
  const result = schema.strict().safeParse({ ...preset, ...Object.fromEntries(given) });
  if (result.success) return result.data as z.infer<z.ZodObject<Shape>>;
  const [issue] = result.error.issues;
  throw new UsageError(`${task}: ${issue?.path.join('.')}: ${issue?.message}; see keyhole train ${task} --help`, {
    issues: result.error.issues,
  });
}

function parseOverride(task: string, override: string, known: readonly string[]): [string, unknown] {
  const [, key, text] = /^([^=]+)=(.*)$/s.exec(override) ?? [];
  if (key === undefined || text === undefined) throw new UsageError(`--set: expected key=value, got ${override}`);
  if (!known.includes(key)) {
    throw new UsageError(
      `--set: ${task} has no key ${key}; did you mean ${nearest(key, known)}? Known keys: ${known.join(', ')}`,
    );
  }
  return [key, parseValue(text)];
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
