/**
 * How a piece of work is timed: warmed up, then several runs, of which the median counts. Works that are to be compared
 * take turns, so that a busy moment of the machine hits all of them, and are compared turn by turn.
 */

import { percentile } from '../../metrics/percentile.js';

export interface Timing {
  readonly medianMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly runs: number;
}

/** Milliseconds of each run of one work, in the order of the turns. */
export type Samples = readonly number[];

export interface TimingOptions {
  /** Runs of one work alone go on for this long. */
  readonly budgetMs: number;
  readonly minRuns: number;
  readonly maxRuns: number;
}

export const thorough: TimingOptions = { budgetMs: 1500, minRuns: 5, maxRuns: 101 };
export const hasty: TimingOptions = { budgetMs: 30, minRuns: 3, maxRuns: 21 };

/**
 * Times every work, in turns whose order is reversed from one to the next: first, second, second, first. So neither the
 * drift of the machine nor what the neighbour left in the caches favours one. n works get n² times the time of one and
 * n times the least runs, since a ratio needs more of them than a median.
 */
export function timeInTurns(works: readonly (() => void)[], options: TimingOptions): Samples[] {
  const samples = works.map((): number[] => []);
  for (const work of works) work();
  const [least, budgetMs] = [options.minRuns * works.length, options.budgetMs * works.length ** 2];
  const start = performance.now();
  for (let run = 0; run < options.maxRuns; run++) {
    if (run >= least && performance.now() - start > budgetMs) break;
    for (const index of turn(works.length, run)) samples[index]?.push(millisecondsOf(works[index]));
  }
  return samples;
}

function turn(count: number, run: number): number[] {
  return Array.from({ length: count }, (_, index) => (run % 2 === 0 ? index : count - 1 - index));
}

function millisecondsOf(work: (() => void) | undefined): number {
  const start = performance.now();
  work?.();
  return performance.now() - start;
}

/** The median and the extremes. */
export function timingOf(samples: Samples): Timing {
  const [medianMs, minMs, maxMs] = [percentile(samples, 0.5), Math.min(...samples), Math.max(...samples)];
  return { medianMs, minMs, maxMs, runs: samples.length };
}

/** The median over the turns of time over time, of two works that took turns. */
export function ratioInTurns(work: Samples, other: Samples): number {
  return percentile(
    work.map((milliseconds, index) => milliseconds / (other[index] as number)),
    0.5,
  );
}
