/** `keyhole/tasks`: whole jobs, from data to figures. */

export { type ClassificationConfig, type ClassificationDefinition, classificationTask } from './classification.js';
export type { LabelledSplits, LabelledText } from './classificationData.js';
export { classifierKeys } from './classificationKeys.js';
export { resolveConfig } from './config.js';
export { type Examination, type ExamineOptions, examine } from './examine.js';
export { type FinalFigures, finalFigures } from './finalFigures.js';
export { type HeadImportance, headImportance } from './headImportance.js';
export { type InferenceSpeed, measureSpeed, type SpeedOptions, type ThroughputPoint } from './inferenceSpeed.js';
export { splitApart } from './labelledSplits.js';
export { type LanguageConfig, type LanguageDefinition, languageTask } from './languageModelling.js';
export { estimateMemory, largestBatch, type MemoryEstimate } from './memory.js';
export { type OpenedRun, type OpenRunOptions, openRunTask } from './openRun.js';
export { pruneHead } from './pruneHeads.js';
export { findPreset, findTask, tasks } from './registry.js';
export type { SequenceExample, SequenceSplits } from './sequenceData.js';
export {
  type Baseline,
  errorRates,
  type Score,
  type Scored,
  summaryScores,
  translationScores,
} from './sequenceScores.js';
export { givenSymbols, PieceText, type SequenceText, type TextPair } from './sequenceText.js';
export { type SequenceConfig, type SequenceDefinition, sequenceTask } from './sequenceToSequence.js';
export type { Answer, AnswerOptions, Config, EvaluateOptions, FigureTable, OpenTask, Probe, Task } from './task.js';
export { encoderDecoderKeys, languageModelKeys, trainingKeys } from './trainingKeys.js';
export { inPhase, rateFinderOf, type TrainTaskOptions, trainTask } from './trainTask.js';
