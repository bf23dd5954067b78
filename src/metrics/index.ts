/** `keyhole/metrics`: how good, and how fast. Numbers in, numbers out; nothing here knows a model. */

export { Accuracy } from './accuracy.js';
export { Classification, type ClassScores } from './classification.js';
export { editDistance, nearest } from './editDistance.js';
export { EditDistanceRate } from './editDistanceRate.js';
export { type Latency, latency, percentile } from './percentile.js';
export { perplexity, RunningMean } from './runningMean.js';
