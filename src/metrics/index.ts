/** `keyhole/metrics`: how good, and how fast. Numbers in, numbers out; nothing here knows a model. */

export { Accuracy } from './accuracy.js';
export { Bleu } from './bleu.js';
export { CalibrationError } from './calibrationError.js';
export { Chrf } from './chrf.js';
export { Classification, type ClassScores } from './classification.js';
export { editDistance, nearest } from './editDistance.js';
export { EditDistanceRate } from './editDistanceRate.js';
export { type Histogram, histogramOf } from './histogram.js';
export { LanguageModelScore } from './languageModelScore.js';
export { type Latency, latency, percentile } from './percentile.js';
export { RocAuc, type RocAucOptions } from './rocAuc.js';
export { Rouge, type RougeScores } from './rouge.js';
export { perplexity, RunningMean } from './runningMean.js';
export { tokenize13a } from './tokenize13a.js';
