/** `keyhole/attention`: the call, its masks, its record, and what it is made of. */

export { type AttentionResult, attention } from './attention.js';
export { KeyValueCache } from './cache.js';
export { applyAttentionWeights, computeAttentionWeights, type ExplicitOptions } from './explicit.js';
export { and, booleanMask, causal, keyPadding, type Mask, slidingWindow } from './mask.js';
export type { AttentionDropout, AttentionOptions, RecordOptions } from './options.js';
export { type PeekSelection, type PeekSource, peek, type Range } from './peek.js';
export { differentiableStatistics, Recording } from './recording.js';
export { rollout } from './rollout.js';
export { applyTransposedWeights, attentionReceived } from './transposed.js';
