/** `keyhole/attention`: the call, its masks, its record, and what it is made of. */

export { alibi, alibiSlopes } from './alibi.js';
export { type AttentionResult, attention } from './attention.js';
export { AttentionCache, type Held, type HeldPart } from './attentionCache.js';
export { type BlockMap, type CompileSizes, compileMask, maskPicture } from './blockMap.js';
export { type BigBirdOptions, type BlockRows, bigBird, blockSparse } from './blockSparse.js';
export { KeyValueCache } from './cache.js';
export { applyAttentionWeights, computeAttentionWeights, type ExplicitOptions } from './explicit.js';
export {
  type FeatureMap,
  type LinearAttentionOptions,
  type LinearAttentionResult,
  linearAttention,
} from './linearAttention.js';
export { and, booleanMask, causal, keyPadding, type Mask, slidingWindow } from './mask.js';
export { not, or } from './maskAlgebra.js';
export { mergeParts, type PartialAttention } from './mergeParts.js';
export {
  type Normaliser,
  sigmoidWeights,
  type TalkingHeadsOptions,
  talkingHeads,
  topKWeights,
} from './normalisers.js';
export type { AttentionDropout, AttentionOptions, RecordOptions } from './options.js';
export { PagedCache, type PagedCacheOptions } from './pagedCache.js';
export { dilated, documents, globalTokens, type MaskModOptions, maskMod, prefixLm, strided } from './patternMasks.js';
export { type PeekSelection, type PeekSource, peek, type Range } from './peek.js';
export {
  type Lengths,
  lastPool,
  maxPool,
  meanPool,
  type WeighedSequence,
  type WeighOptions,
  weighSequence,
} from './pooling.js';
export { reachBack } from './reach.js';
export { differentiableStatistics, Recording } from './recording.js';
export {
  type AttentionBias,
  type BiasCall,
  type RelativeBias,
  type RelativeTerms,
  relativeBias,
} from './relativeBias.js';
export { attentionRelevance, gradientRollout, type RelevanceSource } from './relevance.js';
export { RollingCache, type RollingCacheOptions } from './rollingCache.js';
export { rollout } from './rollout.js';
export { type RotaryOptions, rope, rotate } from './rotary.js';
export { type RotaryFrequencies, type RotaryScaling, rotaryFrequencies } from './rotaryScaling.js';
export { Condition, Expression, type ScoreOperand } from './scoreMod/expression.js';
export { ScoreProgram } from './scoreMod/program.js';
export { type ScoreFormula, type ScorePosition, scoreMod } from './scoreMod/scoreMod.js';
export { type ShawTables, shaw } from './shaw.js';
export { swinBias } from './swinBias.js';
export { type T5BiasOptions, t5Bias, t5Bucket } from './t5Bias.js';
export { applyTransposedWeights, attentionReceived } from './transposed.js';
