/** What the training loop takes and gives. The loop itself: loop.ts. */

import type { Cursor } from '../data/batching.js';
import type { Context } from '../nn/context.js';
import type { Module } from '../nn/module.js';
import type { Alarm } from './alarms.js';
import type { WeightAverage } from './average.js';
import type { CheckpointStore } from './checkpoint.js';
import type { Optimiser } from './optimiser.js';
import type { Best, EarlyStopping } from './progress.js';
import type { Schedule } from './schedule.js';
import type { BatchLoss } from './step.js';

/** Figures by name, `<phase>/<figure>`: `train/loss`, `validation/phonemeErrorRate`. */
export type Figures = Readonly<Record<string, number>>;

/** Where figures go. `flush` returns when everything so far is on the disk. */
export interface TrainingLog {
  record(step: number, figures: Figures): void;
  flush(): void;
}

/** How far training is, after every update. */
export interface Progress {
  readonly step: number;
  readonly totalSteps: number;
  readonly loss: number;
  readonly rate: number;
  readonly tokensPerSecond: number;
  readonly secondsLeft: number;
}

export interface TrainOptions<Batch> {
  readonly model: Module;
  readonly optimiser: Optimiser;
  readonly schedule: Schedule;
  /** Mean loss of a batch; built from recorded operations. */
  readonly loss: (batch: Batch, context: Context) => BatchLoss;
  /** Batches from a position on, for ever, each with the position after it. */
  readonly batches: (from: Cursor) => Iterator<{ readonly batch: Batch; readonly next: Cursor }>;
  readonly totalSteps: number;
  /** Seed of dropout. */
  readonly seed: number;
  /** Batches an update. Default 1. */
  readonly accumulate?: number;
  /** Largest global norm of the gradient. Default 1. */
  readonly clipNorm?: number;
  /** What is evaluated and kept in place of the weights. */
  readonly average?: WeightAverage | undefined;
  /** Called before every update, also after a resume: for what changes with the step. */
  readonly beforeStep?: (step: number) => void;
  /** What a loss or gradient that is not finite does: end training, or leave that update out. Default `stop`. */
  readonly badBatch?: 'stop' | 'skip';
  /** Deviations above the running mean at which loss and gradient norm are alarming; 0 = never. Default 0. */
  readonly alarmDeviations?: number;
  readonly onAlarm?: (alarm: Alarm) => void;
  /** Updates between lines of the log. Default 10. */
  readonly logEvery?: number;
  /** Updates between evaluations, each followed by a checkpoint. */
  readonly evaluateEvery: number;
  /** Figures on held-out data; must include the metric of `earlyStopping`. */
  readonly evaluate: (step: number) => Figures | Promise<Figures>;
  readonly earlyStopping: EarlyStopping;
  readonly checkpoints: CheckpointStore;
  readonly log: TrainingLog;
  /** Go on from the last good checkpoint. */
  readonly resume?: boolean;
  /** Ends training at the next step, with a checkpoint, as `stopped`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Called with what was found on resuming: the step, and damaged checkpoints that were passed over. */
  readonly onResume?: (step: number, notices: readonly string[]) => void;
}

export interface TrainResult {
  /** `finished` when the steps or the patience ran out. */
  readonly status: 'finished' | 'stopped';
  readonly step: number;
  /** The evaluation whose weights are `checkpoints.load('best')`. */
  readonly best: Best | null;
  /** Mean training loss per token over the last interval of the log; undefined before the first. */
  readonly trainLoss: number | undefined;
  /** Training tokens a second of this call, evaluations not counted. */
  readonly tokensPerSecond: number;
}
