/**
 * How a piece of work is timed: warmed up, then several runs, of which the median counts. Works that are to be compared
 * take turns, so that a busy moment of the machine hits all of them.
 */

import { percentile } from '../../metrics/percentile.js';

export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly runs: number;
}

export interface TimingOptions {
  /** Runs go on for this long. */
  readonly budgetMs: number;
  readonly minRuns: number;
  readonly maxRuns: number;
}

export const thorough: TimingOptions = { budgetMs: 1500, minRuns: 5, maxRuns: 101 };
export const hasty: TimingOptions = { budgetMs: 30, minRuns: 3, maxRuns: 21 };

/** Times every work, in turns: first, second, first, second. */
export function timeInTurns(works: readonly (() => void)[], options: TimingOptions): Timing[] {
  const samples = works.map((): number[] => []);
  for (const work of works) work();
  const start = performance.now();
  for (let run = 0; run < options.maxRuns; run++) {
    if (run >= options.minRuns && performance.now() - start > options.budgetMs) break;
    works.forEach((work, index) => {
      samples[index]?.push(millisecondsOf(work));
    });
  }
  return samples.map(summary);
}

function millisecondsOf(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

function summary(samples: readonly number[]): Timing {
  const [medianMs, minMs, maxMs] = [percentile(samples, 0.5), Math.min(...samples), Math.max(...samples)];
  return { medianMs, minMs, maxMs, runs: samples.length };
}
