/**
 * Trains a task into a run: configuration to optimiser, schedule and loop. What the loop does: ../train/loop.ts.
 */

import { z } from 'zod';
import type { CapturedAttention } from '../core/records.js';
import { WeightAverage } from '../train/average.js';
import { createOptimiser } from '../train/createOptimiser.js';
import { freeze, unfreeze } from '../train/freeze.js';
import { trainLoop } from '../train/loop.js';
import type { Figures, TrainOptions, TrainResult } from '../train/options.js';
import { findRate, type RateFinding } from '../train/rateFinder.js';
import type { Run } from '../train/run.js';
import { createSchedule } from '../train/schedule.js';
import type { Config, OpenTask, Task } from './task.js';
import { trainingKeys } from './trainingKeys.js';

/** Held-out examples of an evaluation during training; final figures use all. */
const evaluationSample = 1000;

export interface TrainTaskOptions
  extends Pick<TrainOptions<unknown>, 'log' | 'resume' | 'signal' | 'onProgress' | 'onResume' | 'onAlarm'> {
  readonly task: Task;
  readonly open: OpenTask;
  readonly config: Config;
  readonly run: Run;
  /** Called at every evaluation with what attention did on fixed held-out examples. */
  readonly onAttention: (step: number, captured: readonly CapturedAttention[]) => void;
}

/** Trains until the steps or the patience run out. Errors: as `trainLoop`. */
export function trainTask({ task, open, config, run, onAttention, ...rest }: TrainTaskOptions): Promise<TrainResult> {
  const { metric, better } = task.decides;
  const evaluate = (step: number): Figures => {
    onAttention(step, open.observe());
    return inPhase('validation', open.evaluate('validation', { sample: evaluationSample }));
  };
  return run.during(async () => {
    const learning = learningOf(open, config);
    const { patience } = learning.keys;
    const earlyStopping = { metric: `validation/${metric}`, better, patience };
    return trainLoop({ ...rest, ...learning.options, evaluate, earlyStopping, checkpoints: run.checkpoints });
  });
}

/** The learning-rate finder for a task; the weights of its model are spoilt afterwards. */
export function rateFinderOf(open: OpenTask, config: Config): RateFinding {
  return findRate(learningOf(open, config).options);
}

type Keys = z.infer<z.ZodObject<typeof trainingKeys>>;
type Learning = Omit<TrainOptions<unknown>, 'evaluate' | 'earlyStopping' | 'checkpoints' | 'log'>;

/** What follows from the configuration alone: how the model learns, and from what. */
function learningOf(open: OpenTask, config: Config): { readonly keys: Keys; readonly options: Learning } {
  const keys = z.object(trainingKeys).parse(config);
  const { model } = open;
  if (keys.freeze.length > 0) freeze(model, keys.freeze);
  const options: Learning = {
    model,
    optimiser: createOptimiser(model, keys),
    average: keys.averageDecay > 0 ? new WeightAverage(model.parameters(), keys.averageDecay) : undefined,
    beforeStep: (step) => {
      if (keys.unfreezeAfter > 0 && step > keys.unfreezeAfter) unfreeze(model, keys.freeze);
    },
    schedule: scheduleOf(keys),
    loss: (batch, context) => open.loss(batch, context),
    batches: (from) => open.batches(from),
    totalSteps: keys.steps,
    seed: keys.seed,
    accumulate: keys.accumulate,
    clipNorm: keys.clipNorm,
    badBatch: keys.badBatch,
    alarmDeviations: keys.alarmDeviations,
    evaluateEvery: keys.evaluateEvery,
  };
  return { keys, options };
}

function scheduleOf({
  learningRate,
  warmupSteps,
  steps,
  schedule,
  finalRateRatio,
}: Keys): TrainOptions<unknown>['schedule'] {
  return createSchedule({
    peak: learningRate,
    warmupSteps,
    totalSteps: steps,
    decay: schedule,
    floorRatio: finalRateRatio,
  });
}

/** Figures under the names of a log: `validation/loss`. */
export function inPhase(phase: 'validation' | 'test' | 'inference', figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${phase}/${name}`, value]));
}
