/** `keyhole/tasks`: whole jobs, from data to figures. */

export { resolveConfig } from './config.js';
export { type FinalFigures, finalFigures } from './finalFigures.js';
export { type InferenceSpeed, measureSpeed, type SpeedOptions, type ThroughputPoint } from './inferenceSpeed.js';
export { type OpenedRun, openRunTask } from './openRun.js';
export { findPreset, findTask, tasks } from './registry.js';
export { type SequenceConfig, type SequenceDefinition, sequenceTask } from './sequenceToSequence.js';
export type { Answer, AnswerOptions, Config, EvaluateOptions, OpenTask, Task } from './task.js';
export { inPhase, type TrainTaskOptions, trainTask } from './trainTask.js';
