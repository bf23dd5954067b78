/** One layer of a transformer decoder: causal self-attention, cross-attention to a memory, feed-forward. */

import type { KeyValueCache } from '../attention/cache.js';
import { causal, type Mask } from '../attention/mask.js';
import type { RandomStream } from '../core/random.js';
import { add } from '../tensor/elementwise.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Context } from './context.js';
import { Dropout } from './dropout.js';
import type { BlockOptions } from './encoderBlock.js';
import { FeedForward } from './feedForward.js';
import { LayerNorm } from './layerNorm.js';
import { Module } from './module.js';
import { type KeysAndValues, MultiHeadAttention } from './multiHeadAttention.js';

/** What the decoder attends to. */
export interface DecoderInputs {
  /** Encoder output [B, S, E], or its keys and values projected once for many steps. */
  readonly memory: Tensor | KeysAndValues;
  /** Which positions of the memory are real. */
  readonly memoryMask?: Mask | undefined;
  /** Keys and values of earlier steps. */
  readonly cache?: KeyValueCache | undefined;
}

/**
 * `x + selfAttention(norm(x))`, `x + crossAttention(norm(x), memory)`, `x + feedForward(norm(x))`
 * (Vaswani et al. 2017, §3.1, pre-norm).
 *
 * Shapes: x [B, L, E], memory [B, S, E] → [B, L, E].
 */
export class DecoderBlock extends Module {
  readonly selfAttentionNorm: LayerNorm;
  readonly selfAttention: MultiHeadAttention;
  readonly crossAttentionNorm: LayerNorm;
  readonly crossAttention: MultiHeadAttention;
  readonly feedForwardNorm: LayerNorm;
  readonly feedForward: FeedForward;
  readonly dropout: Dropout;

  constructor({ width, heads, hidden, dropout }: BlockOptions, random: RandomStream) {
    super();
    this.selfAttentionNorm = new LayerNorm(width);
    this.selfAttention = new MultiHeadAttention({ width, heads, dropout }, random);
    this.crossAttentionNorm = new LayerNorm(width);
    this.crossAttention = new MultiHeadAttention({ width, heads, dropout }, random);
    this.feedForwardNorm = new LayerNorm(width);
    this.feedForward = new FeedForward(width, hidden, dropout, random);
    this.dropout = new Dropout(dropout);
  }

  forward(x: Tensor, context: Context, { memory, memoryMask, cache }: DecoderInputs): Tensor {
    const branch = (input: Tensor, output: Tensor): Tensor => add(input, this.dropout.forward(output, context));
    const past = this.selfAttention.forward(this.selfAttentionNorm.forward(x), context, { mask: causal(), cache });
    const withPast = branch(x, past); // [B, L, E]
    const normed = this.crossAttentionNorm.forward(withPast);
    const withMemory = branch(withPast, this.crossAttention.forward(normed, context, { memory, mask: memoryMask })); // [B, L, E]
    return branch(withMemory, this.feedForward.forward(this.feedForwardNorm.forward(withMemory), context)); // [B, L, E]
  }
}
