/** One layer of a transformer encoder, normalised before each half. */

import type { Mask } from '../attention/mask.js';
import type { RandomStream } from '../core/random.js';
import { add } from '../tensor/elementwise.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Context } from './context.js';
import { Dropout } from './dropout.js';
import { FeedForward } from './feedForward.js';
import { LayerNorm } from './layerNorm.js';
import { Module } from './module.js';
import { MultiHeadAttention } from './multiHeadAttention.js';

/** Sizes of a transformer block. */
export interface BlockOptions {
  /** Model width E. */
  readonly width: number;
  /** Attention heads H. */
  readonly heads: number;
  /** Feed-forward width F. */
  readonly hidden: number;
  /** Dropout on every residual branch, inside the feed-forward half and on the attention weights. */
  readonly dropout: number;
}

/**
 * `x + attention(norm(x))`, then `x + feedForward(norm(x))` (pre-norm: Xiong et al. 2020, fig. 1b).
 *
 * Shapes: x [B, L, E] → [B, L, E].
 */
export class EncoderBlock extends Module {
  readonly attentionNorm: LayerNorm;
  readonly attention: MultiHeadAttention;
  readonly feedForwardNorm: LayerNorm;
  readonly feedForward: FeedForward;
  readonly dropout: Dropout;

  constructor({ width, heads, hidden, dropout }: BlockOptions, random: RandomStream) {
    super();
    this.attentionNorm = new LayerNorm(width);
    this.attention = new MultiHeadAttention({ width, heads, dropout }, random);
    this.feedForwardNorm = new LayerNorm(width);
    this.feedForward = new FeedForward(width, hidden, dropout, random);
    this.dropout = new Dropout(dropout);
  }

  forward(x: Tensor, context: Context, options: { readonly mask?: Mask | undefined } = {}): Tensor {
    const attended = this.attention.forward(this.attentionNorm.forward(x), context, options);
    const mixed = add(x, this.dropout.forward(attended, context)); // [B, L, E]
    const changed = this.feedForward.forward(this.feedForwardNorm.forward(mixed), context);
    return add(mixed, this.dropout.forward(changed, context)); // [B, L, E]
  }
}
