/** Training: optimiser, schedules, the loop, checkpoints and run folders. */

export { AdamW, type AdamWSettings } from './adamw.js';
export type { Alarm } from './alarms.js';
export { WeightAverage } from './average.js';
export { type Checkpoint, CheckpointStore, type LoadedCheckpoint, type StoredArrays } from './checkpoint.js';
export { createOptimiser, type OptimiserOptions } from './createOptimiser.js';
export { type Files, hostFiles } from './files.js';
export { freeze, unfreeze } from './freeze.js';
export { DivergenceError } from './guard.js';
export { Lion, type LionSettings } from './lion.js';
export { trainLoop } from './loop.js';
export type { JsonValue } from './manifest.js';
export { type Moving, Optimiser, type Update } from './optimiser.js';
export type { Figures, Progress, TrainingLog, TrainOptions, TrainResult } from './options.js';
export { loadTensors, storeTensors } from './parameters.js';
export type { Best, EarlyStopping } from './progress.js';
export { findRate, type RateFinderOptions, type RateFinding, type RatePoint } from './rateFinder.js';
export { type CreateRunOptions, createRun, openRun, type Run, resumeRun } from './run.js';
export type { RunDescription, RunRecord, RunStatus } from './runRecord.js';
export {
  encodeSafetensors,
  loadArray,
  parseSafetensors,
  type Safetensors,
  type SafetensorsDType,
  type StoredArray,
  storeArray,
} from './safetensors.js';
export { createSchedule, type Decay, type Schedule, type ScheduleOptions } from './schedule.js';
export { Sgd, type SgdSettings } from './sgd.js';
export type { BatchLoss } from './step.js';
