/** `keyhole/nn`: layers, blocks, and the context they run in. */

export { type CaptureOptions, capture } from './capture.js';
export { type CaptureSink, type Context, inference } from './context.js';
export { DecoderBlock, type DecoderInputs } from './decoderBlock.js';
export { Dropout } from './dropout.js';
export { Embedding } from './embedding.js';
export { type BlockOptions, EncoderBlock } from './encoderBlock.js';
export { FeedForward } from './feedForward.js';
export { LayerNorm } from './layerNorm.js';
export { Linear } from './linear.js';
export { Module } from './module.js';
export {
  type KeysAndValues,
  MultiHeadAttention,
  type MultiHeadAttentionInputs,
  type MultiHeadAttentionOptions,
} from './multiHeadAttention.js';
export { LearnedPositions, Positions, SinusoidalPositions } from './positions.js';
export { SelfAttention } from './selfAttention.js';
