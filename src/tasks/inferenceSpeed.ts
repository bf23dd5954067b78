/**
 * How fast a trained model answers: cold, and in batches of several sizes and lengths. Latency of single warm inputs is
 * measured by finalFigures.ts.
 */

import type { Split } from '../data/split.js';
import { type Latency, latency, percentile } from '../metrics/percentile.js';
import type { OpenTask } from './task.js';

/** Throughput for inputs of one length, so many at once. */
export interface ThroughputPoint {
  readonly batch: number;
  /** Mean length of the inputs that the batch is from, in characters. */
  readonly length: number;
  readonly inputsPerSecond: number;
}

export interface InferenceSpeed {
  /** Time of the first answer of this process: code not yet compiled, nothing allocated. */
  readonly firstMs: number;
  /** Times of the first answers of models whose weights were just read from disk, in a process that is warm. */
  readonly coldMs: Latency;
  /** Cold models measured. */
  readonly coldCount: number;
  /** Empty when the task answers one input at a time only. */
  readonly throughput: readonly ThroughputPoint[];
}

export interface SpeedOptions {
  readonly split: Split;
  readonly beams: number;
  /** The same model, opened once more. */
  readonly reopen: () => Promise<OpenTask>;
  /** Cold models to measure. Default 20. */
  readonly coldCount?: number;
}

const batches = [1, 4, 16, 64] as const;
/** Places in the inputs sorted by length: short, middling and long ones. */
const lengthShares = [0.1, 0.5, 0.9] as const;
/** A point is measured for so long at least, and so often; its figure is the median. */
const [leastMs, leastRuns] = [200, 5];
/** Opening cold models ends after this. */
const coldBudgetMs = 5000;

/** Measures a model that has not answered anything yet. Takes about five seconds for a small one. */
export async function measureSpeed(open: OpenTask, options: SpeedOptions): Promise<InferenceSpeed> {
  const { split, beams } = options;
  const inputs = open.inputs(split, Number.POSITIVE_INFINITY);
  const [input = ''] = inputs;
  const firstMs = timeMs(() => open.answer(input, { beams }));
  const throughput = throughputs(open, inputs, beams);
  const cold = await coldTimes(input, options);
  return { firstMs, coldMs: latency(cold), coldCount: cold.length, throughput };
}

async function coldTimes(input: string, { beams, reopen, coldCount = 20 }: SpeedOptions): Promise<number[]> {
  const times: number[] = [];
  const start = performance.now();
  while (times.length < coldCount && (times.length === 0 || performance.now() - start < coldBudgetMs)) {
    const fresh = await reopen();
    times.push(timeMs(() => fresh.answer(input, { beams })));
  }
  return times;
}

function throughputs(open: OpenTask, inputs: readonly string[], beams: number): ThroughputPoint[] {
  if (open.answers === undefined) return [];
  const answers = open.answers.bind(open);
  const sizes = batches.filter((batch) => batch <= inputs.length);
  const sorted = [...inputs].sort((a, b) => a.length - b.length);
  const groups = lengthShares.map((share) => around(sorted, share, sizes.at(-1) ?? 0));
  const byLength = new Map(groups.map((group) => [meanLength(group), group])); // one of each length
  return [...byLength].flatMap(([length, group]) =>
    sizes.map((batch) => {
      const chosen = around(group, 0.5, batch);
      const seconds = medianSeconds(() => answers(chosen, { beams }));
      return { batch, length, inputsPerSecond: batch / seconds };
    }),
  );
}

function meanLength(inputs: readonly string[]): number {
  return Math.round(inputs.reduce((sum, input) => sum + input.length, 0) / inputs.length);
}

/** `count` neighbours around a place in a list. */
function around(sorted: readonly string[], share: number, count: number): readonly string[] {
  const middle = Math.round(share * (sorted.length - 1));
  const start = Math.max(0, Math.min(sorted.length - count, middle - (count >> 1)));
  return sorted.slice(start, start + count);
}

function medianSeconds(work: () => unknown): number {
  work();
  const times: number[] = [];
  const start = performance.now();
  while (times.length < leastRuns || performance.now() - start < leastMs) times.push(timeMs(work));
  return percentile(times, 0.5) / 1000;
}

function timeMs(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
