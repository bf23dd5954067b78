/**
 * The learning-rate finder (Smith 2017, §3.3): a short training whose rate grows from step to step. Where the loss falls
 * fastest is a good peak rate; where it turns up is too much.
 */

import { RandomStream } from '../core/random.js';
import { firstCursor } from '../data/batching.js';
import { DivergenceError } from './guard.js';
import type { TrainOptions } from './options.js';
import { trainStep } from './step.js';

export interface RateFinderOptions<Batch>
  extends Pick<TrainOptions<Batch>, 'model' | 'optimiser' | 'loss' | 'batches' | 'seed' | 'clipNorm'> {
  /** First rate. Default 1e-6. */
  readonly low?: number;
  /** Last rate. Default 1. */
  readonly high?: number;
  /** Steps from one to the other. Default 100. */
  readonly steps?: number;
}

/** The loss after steps at one rate. */
export interface RatePoint {
  readonly rate: number;
  /** Running mean of the loss, so that single batches do not show. */
  readonly loss: number;
}

export interface RateFinding {
  readonly points: readonly RatePoint[];
  /** Rate at which the smoothed loss falls fastest, per factor of the rate; a peak rate to start from. */
  readonly steepest: number;
  /** Rate at which it is lowest; more than that is too much. */
  readonly lowest: number;
}

/** Share of a new loss in the running mean. */
const share = 0.1;
/** The sweep ends when the loss is so many times the lowest. */
const enough = 4;

/** Sweeps the rate. The weights of the model are spoilt afterwards. */
export function findRate<Batch>(options: RateFinderOptions<Batch>): RateFinding {
  const points = [...sweep(options)];
  const lowest = points.reduce((best, point) => (point.loss < best.loss ? point : best));
  return { points, steepest: steepestOf(points), lowest: lowest.rate };
}

function* sweep<Batch>(options: RateFinderOptions<Batch>): Generator<RatePoint> {
  const { low = 1e-6, high = 1, steps = 100, clipNorm = 1, seed, batches: from } = options;
  const [random, batches] = [new RandomStream(seed).fork('dropout'), from(firstCursor)];
  let [sum, weight, best] = [0, 0, Number.POSITIVE_INFINITY];
  for (let step = 1; step <= steps; step++) {
    const rate = low * (high / low) ** ((step - 1) / Math.max(1, steps - 1));
    const found = lossAt(() =>
      trainStep([() => batches.next().value.batch], { ...options, random, step, rate, clipNorm }),
    );
    if (found === undefined) return;
    [sum, weight] = [(1 - share) * sum + share * found, (1 - share) * weight + share];
    const loss = sum / weight;
    yield { rate, loss };
    best = Math.min(best, loss);
    if (loss > enough * best) return;
  }
}

/** The loss, or undefined when the rate was too much for the numbers. */
function lossAt(update: () => { readonly loss: number }): number | undefined {
  try {
    return update().loss;
  } catch (error) {
    if (error instanceof DivergenceError) return undefined;
    throw error;
  }
}

/** Falls are measured over a window, because neighbouring points differ by chance. */
const windowShare = 0.1;

function steepestOf(points: readonly RatePoint[]): number {
  const window = Math.max(1, Math.round(points.length * windowShare));
  let [steepest, at] = [0, 0];
  for (let index = window; index < points.length; index++) {
    const fall = (points[index - window] as RatePoint).loss - (points[index] as RatePoint).loss;
    if (fall > steepest) [steepest, at] = [fall, index - Math.floor(window / 2)];
  }
  return points[at]?.rate ?? Number.NaN;
}
