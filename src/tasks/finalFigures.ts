/** The figures a trained model is judged by: metrics on a whole split, and the time that one input takes. */

import type { Split } from '../data/split.js';
import { type Latency, latency } from '../metrics/percentile.js';
import type { Figures } from '../train/options.js';
import type { OpenTask } from './task.js';

const latencyInputs = 100;
const warmUpInputs = 10;

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
  for (const input of inputs.slice(0, warmUpInputs)) open.answer(input, { beams });
  return latency(inputs.map((input) => timeMs(() => open.answer(input, { beams }))));
}

function timeMs(work: () => unknown): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}
