/**
 * Trains a task into a run: configuration to optimiser, schedule and loop. What the loop does: ../train/loop.ts.
 */

import { z } from 'zod';
import type { CapturedAttention } from '../core/records.js';
import { createOptimiser } from '../train/createOptimiser.js';
import { trainLoop } from '../train/loop.js';
import type { Figures, TrainOptions, TrainResult } from '../train/options.js';
import type { Run } from '../train/run.js';
import { createSchedule } from '../train/schedule.js';
import type { Config, OpenTask, Task } from './task.js';
import { trainingKeys } from './trainingKeys.js';

/** Held-out examples of an evaluation during training; final figures use all. */
const evaluationSample = 1000;

export interface TrainTaskOptions
  extends Pick<TrainOptions<unknown>, 'log' | 'resume' | 'signal' | 'onProgress' | 'onResume'> {
  readonly task: Task;
  readonly open: OpenTask;
  readonly config: Config;
  readonly run: Run;
  /** Called at every evaluation with what attention did on fixed held-out examples. */
  readonly onAttention: (step: number, captured: readonly CapturedAttention[]) => void;
}

/** Trains until the steps or the patience run out. Errors: as `trainLoop`. */
export function trainTask({ task, open, config, run, onAttention, ...rest }: TrainTaskOptions): Promise<TrainResult> {
  const keys = z.object(trainingKeys).parse(config);
  const { metric, better } = task.decides;
  const evaluate = (step: number): Figures => {
    onAttention(step, open.observe());
    return inPhase('validation', open.evaluate('validation', { sample: evaluationSample }));
  };
  const options: TrainOptions<unknown> = {
    ...rest,
    model: open.model,
    optimiser: createOptimiser(open.model, keys),
    schedule: createSchedule({
      peak: keys.learningRate,
      warmupSteps: keys.warmupSteps,
      totalSteps: keys.steps,
      decay: keys.schedule,
      floorRatio: keys.finalRateRatio,
    }),
    loss: (batch, context) => open.loss(batch, context),
    batches: (from) => open.batches(from),
    totalSteps: keys.steps,
    seed: keys.seed,
    accumulate: keys.accumulate,
    clipNorm: keys.clipNorm,
    evaluateEvery: keys.evaluateEvery,
    evaluate,
    earlyStopping: { metric: `validation/${metric}`, better, patience: keys.patience },
    checkpoints: run.checkpoints,
  };
  return run.during(() => trainLoop(options));
}

/** Figures under the names of a log: `validation/loss`. */
export function inPhase(phase: 'validation' | 'test' | 'inference', figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${phase}/${name}`, value]));
}
