/** `keyhole/nn`: layers, blocks, and the context they run in. */

export type { AttentionMechanism, MechanismOptions, QueriesAndKeys } from './attentionMechanism.js';
export { AttentionSinks } from './attentionSinks.js';
export { type CaptureOptions, capture } from './capture.js';
export { type CaptureSink, type Context, inference } from './context.js';
export { DecoderBlock, type DecoderInputs } from './decoderBlock.js';
export { Dropout } from './dropout.js';
export { Embedding } from './embedding.js';
export { type BlockOptions, EncoderBlock, type EncoderBlockInputs } from './encoderBlock.js';
export { FeedForward, type FeedForwardOptions } from './feedForward.js';
export { FeedForwardBlock } from './feedForwardBlock.js';
export { LayerNorm } from './layerNorm.js';
export { Linear } from './linear.js';
export { Module } from './module.js';
export {
  type KeysAndValues,
  MultiHeadAttention,
  type MultiHeadAttentionInputs,
  type MultiHeadAttentionOptions,
} from './multiHeadAttention.js';
export { Pooling, type PoolingForm } from './pooling.js';
export { LearnedPositions, Positions, SinusoidalPositions } from './positions.js';
export { type PyTorchAttentionOptions, pytorchAttention } from './pytorchAttention.js';
export { LearnedTemperature, QueryKeyNorm } from './queryKeyNorm.js';
export { keepAll, type RunBlock, recompute } from './recompute.js';
export {
  ShawRelativePositions,
  type ShawRelativePositionsOptions,
  SwinRelativeBias,
  T5RelativeBias,
  type T5RelativeBiasOptions,
} from './relativePositions.js';
export { depthRate, residual } from './residual.js';
export { rotaryPositions } from './rotaryPositions.js';
export { SelfAttention } from './selfAttention.js';
export { ownSentence, type SentencePlaces, SentencePositions } from './sentencePositions.js';
export { startAlike } from './startAlike.js';
export { TalkingHeads } from './talkingHeads.js';
export {
  AdditiveAttention,
  type AdditiveAttentionOptions,
  DotAttention,
  type DotAttentionOptions,
  WordAttention,
  type WordAttentionInputs,
} from './wordAttention.js';
