/**
 * Whole training steps on synthetic batches: forward, loss, backward, clipping, AdamW. Checked against the reference on
 * a small batch first. Memory is counted beforehand and compared with what the process then takes.
 */

import type { Backend } from '../../backend/contract.js';
import { createMeasuringBackend } from '../../backend/measuring.js';
import { createReferenceBackend } from '../../backend/reference/createReferenceBackend.js';
import { StateError } from '../../core/errors.js';
import { RandomStream } from '../../core/random.js';
import { setBackend } from '../../tensor/create.js';
import { drainPool } from '../../tensor/pool.js';
import { scope } from '../../tensor/scope.js';
import { AdamW } from '../../train/adamw.js';
import { type StepResult, trainStep } from '../../train/step.js';
import type { TrainCase } from './cases.js';
import { type Machine, ratioOf } from './machine.js';
import { counting } from './operations.js';
import type { Prepared } from './prepared.js';
import { type Samples, type Timing, timingOf } from './timing.js';
import { subjectOf } from './trainSubjects.js';

/** What a training step came to. Null where the machine's limit is unknown. */
export interface TrainFigures extends TrainCase, Machine, Timing {
  readonly kind: 'train';
  readonly pass: 'step';
  readonly shape: Readonly<Record<string, number>>;
  /** Target tokens learned from. */
  readonly tokensPerSecond: number;
  /** Of matmul and attention, over the time of the whole step. */
  readonly gflops: number;
  readonly peakRatio: number | null;
  /** Weights, gradients, moments and activations, counted without computing. */
  readonly estimatedBytes: number;
  /** What the process grew by over two steps; small models are lost in its noise. */
  readonly measuredBytes: number;
}

const tolerance = 1e-4;

/** Throws StateError when loss or gradient are wrong. */
export function prepareTrain(backend: Backend, it: TrainCase): Prepared<TrainFigures> {
  check(backend, it);
  const estimatedBytes = estimate(it);
  drainPool(backend);
  const before = process.memoryUsage.rss();
  const counted = counting(backend);
  const { step, shape } = stepper(counted.backend, it);
  const { tokens } = step();
  const operations = counted.operations();
  step(); // a second one holds the moments beside the activations
  const counts: Counts = {
    shape,
    tokens,
    operations,
    estimatedBytes,
    measuredBytes: process.memoryUsage.rss() - before,
  };
  return { works: [step], figures: (machine, samples) => figuresOf(it, counts, machine, samples) };
}

/** What is known of a step before it is timed. */
interface Counts extends Pick<TrainFigures, 'shape' | 'estimatedBytes' | 'measuredBytes'> {
  readonly tokens: number;
  readonly operations: number;
}

function figuresOf(
  it: TrainCase,
  { tokens, operations, ...counts }: Counts,
  machine: Machine,
  [own = []]: readonly Samples[],
): TrainFigures {
  const timing = timingOf(own);
  const gflops = operations / timing.medianMs / 1e6;
  return {
    ...{ kind: 'train', pass: 'step', ...it, ...counts, ...machine },
    ...{ tokensPerSecond: (1000 * tokens) / timing.medianMs, gflops },
    ...{ peakRatio: ratioOf(gflops, machine.peakGflops), ...timing },
  };
}

interface Stepper {
  readonly shape: Readonly<Record<string, number>>;
  readonly step: () => StepResult;
}

/** One update at a time of a fresh model, the same on every backend. */
function stepper(backend: Backend, it: TrainCase, rows?: number): Stepper {
  setBackend(backend);
  const { model, shape, loss } = subjectOf(it, rows);
  const [optimiser, random] = [new AdamW(model), new RandomStream(2)];
  let number = 0;
  const step = (): StepResult => {
    setBackend(backend); // another backend's steps may come in between
    return trainStep([() => undefined], {
      ...{ model, optimiser, random, step: ++number, rate: 1e-4, clipNorm: 1 },
      loss: (_, context) => loss(context),
    });
  };
  return { shape, step };
}

function estimate(it: TrainCase): number {
  const counter = createMeasuringBackend();
  scope(() => stepper(counter, it).step());
  return counter.peakBytes;
}

function check(backend: Backend, it: TrainCase): void {
  const [got, truth] = [backend, createReferenceBackend()].map((on) => scope(() => stepper(on, it, 2).step())) as [
    StepResult,
    StepResult,
  ];
  for (const name of ['loss', 'norm'] as const) {
    if (Math.abs(got[name] - truth[name]) <= tolerance * truth[name]) continue;
    throw new StateError(`bench: expected ${name} of a step = ${truth[name]}, got ${got[name]}; nothing was timed`);
  }
}
