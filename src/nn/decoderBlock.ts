/** One layer of a transformer decoder: causal self-attention, cross-attention to a memory, feed-forward. */

import type { KeyValueCache } from '../attention/cache.js';
import { causal, type Mask } from '../attention/mask.js';
import type { RandomStream } from '../core/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Context } from './context.js';
import { Dropout } from './dropout.js';
import type { BlockOptions } from './encoderBlock.js';
import { FeedForward } from './feedForward.js';
import { LayerNorm } from './layerNorm.js';
import { Module } from './module.js';
import { type KeysAndValues, MultiHeadAttention } from './multiHeadAttention.js';
import { residual } from './residual.js';

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
  readonly stochasticDepth: number;

  constructor(options: BlockOptions, random: RandomStream) {
    super();
    const { width, heads, keyValueHeads = heads, hidden, dropout, bias = true, stochasticDepth = 0 } = options;
    this.selfAttentionNorm = new LayerNorm(width, { bias });
    this.selfAttention = new MultiHeadAttention({ width, heads, keyValueHeads, dropout, bias }, random);
    this.crossAttentionNorm = new LayerNorm(width, { bias });
    this.crossAttention = new MultiHeadAttention({ width, heads, keyValueHeads, dropout, bias }, random);
    this.feedForwardNorm = new LayerNorm(width, { bias });
    this.feedForward = new FeedForward({ width, hidden, dropout, bias }, random);
    this.dropout = new Dropout(dropout);
    this.stochasticDepth = stochasticDepth;
  }

  forward(x: Tensor, context: Context, { memory, memoryMask, cache }: DecoderInputs): Tensor {
    const branch = (input: Tensor, output: () => Tensor): Tensor =>
      residual(input, () => this.dropout.forward(output(), context), context, this.stochasticDepth);
    const attend = (): Tensor =>
      this.selfAttention.forward(this.selfAttentionNorm.forward(x), context, { mask: causal(), cache });
    const withPast = branch(x, attend); // [B, L, E]
    const look = (): Tensor =>
      this.crossAttention.forward(this.crossAttentionNorm.forward(withPast), context, { memory, mask: memoryMask });
    const withMemory = branch(withPast, look); // [B, L, E]
    return branch(withMemory, () => this.feedForward.forward(this.feedForwardNorm.forward(withMemory), context));
  }
}
