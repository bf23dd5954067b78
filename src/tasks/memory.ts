/**
 * How much memory a training takes, found before it starts: some steps are run on a backend that only counts. What the
 * counting backend is: ../backend/measuring.ts; who refuses what does not fit: ../cli/fit.ts.
 */

import { z } from 'zod';
import { RandomStream } from '../core/random.js';
import { firstCursor } from '../data/batching.js';
import { getBackend, setBackend } from '../tensor/create.js';
import { WeightAverage } from '../train/average.js';
import { createOptimiser } from '../train/createOptimiser.js';
import { freeze } from '../train/freeze.js';
import { trainStep } from '../train/step.js';
import type { Config, OpenTask } from './task.js';
import { trainingKeys } from './trainingKeys.js';

/** A counting backend, as far as this file needs to know it. */
export type Counter = ReturnType<typeof getBackend> & { readonly heldBytes: number; readonly peakBytes: number };

/** Bytes, by what they are for. */
export interface MemoryEstimate {
  readonly weights: number;
  /** Moments of the optimiser, and the average where there is one. */
  readonly optimiser: number;
  /** What a step holds beside them: gradients, and what backward needs. */
  readonly step: number;
  /** The copy of weights and moments that a checkpoint is written from. */
  readonly checkpoint: number;
  readonly total: number;
}

/** Steps that are counted: batches differ in shape, and memory of each shape is kept for the next of its kind. */
const countedSteps = 8;

/** Counts the memory of a training of `open` under `config`. `counter` must be fresh. */
export function estimateMemory(open: OpenTask, config: Config, counter: Counter): MemoryEstimate {
  const real = getBackend();
  setBackend(counter);
  try {
    return count(open.rebuild(config), config, counter);
  } finally {
    setBackend(real);
  }
}

function count(open: OpenTask, config: Config, counter: Counter): MemoryEstimate {
  const keys = z.object(trainingKeys).parse(config);
  const weights = counter.heldBytes;
  if (keys.freeze.length > 0) freeze(open.model, keys.freeze);
  const optimiser = createOptimiser(open.model, keys);
  if (keys.averageDecay > 0) new WeightAverage(open.model.parameters(), keys.averageDecay);
  const moments = counter.heldBytes - weights;
  const batches = open.batches(firstCursor);
  const random = new RandomStream(keys.seed);
  for (let step = 1; step <= countedSteps; step++) {
    const parts = Array.from({ length: keys.accumulate }, () => () => batches.next().value.batch);
    const loss: OpenTask['loss'] = (batch, context) => open.loss(batch, context);
    trainStep(parts, { model: open.model, optimiser, loss, random, step, rate: keys.learningRate, clipNorm: 1 });
  }
  const [step, checkpoint] = [counter.peakBytes - weights - moments, weights + moments];
  return { weights, optimiser: moments, step, checkpoint, total: weights + moments + step + checkpoint };
}

/**
 * The largest `batchTokens` below the present one whose training fits into `bytes`, found by halving to within 2 %, or
 * undefined when not even a tiny one does.
 */
export function largestBatch(
  open: OpenTask,
  config: Config,
  bytes: number,
  counter: () => Counter,
): number | undefined {
  const fits = (batchTokens: number): boolean =>
    estimateMemory(open, { ...config, batchTokens }, counter()).total <= bytes;
  let [good, bad] = [0, Number(config.batchTokens)];
  while (bad - good > Math.max(1, 0.02 * good)) {
    const middle = Math.floor((good + bad) / 2);
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return good >= 1 ? good : undefined;
}
