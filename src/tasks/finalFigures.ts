/** The figures a trained model is judged by: metrics on a whole split, and the time that one input takes. */

import type { Split } from '../data/split.js';
import { type Latency, latency } from '../metrics/percentile.js';
import type { Figures } from '../train/options.js';
import type { OpenTask } from './task.js';

const latencyInputs = 100;
const warmUpInputs = 10;
/** Inputs that take long are timed for this long, and fewer of them. */
const latencyBudgetMs = 2000;

export interface FinalFigures {
  readonly figures: Figures;
  /** Inputs evaluated a second, in batches: teacher forcing and decoding together. */
  readonly inputsPerSecond: number;
  /** Wall time of one input alone, from text to answer, warm. */
  readonly latencyMs: Latency;
}

/** Evaluates on all of `split`, then answers single inputs one after another. */
export function finalFigures(open: OpenTask, split: Split, beams: number): FinalFigures {
  const start = performance.now();
  const figures = open.evaluate(split, { beams });
  const seconds = (performance.now() - start) / 1000;
  const inputsPerSecond = open.inputs(split, Number.POSITIVE_INFINITY).length / seconds;
  return { figures, inputsPerSecond, latencyMs: measureLatency(open, split, beams) };
}

function measureLatency(open: OpenTask, split: Split, beams: number): Latency {
  const inputs = open.inputs(split, latencyInputs);
  within(latencyBudgetMs / 4, inputs.slice(0, warmUpInputs), (input) => open.answer(input, { beams }));
  return latency(within(latencyBudgetMs, inputs, (input) => timeMs(() => open.answer(input, { beams }))));
}

/** What `work` makes of the inputs, at least of the first, until the time is up. */
function within<Result>(budgetMs: number, inputs: readonly string[], work: (input: string) => Result): Result[] {
  const end = performance.now() + budgetMs;
  const results: Result[] = [];
  for (const input of inputs) {
    results.push(work(input));
    if (performance.now() >= end) break;
  }
  return results;
}

function timeMs(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
