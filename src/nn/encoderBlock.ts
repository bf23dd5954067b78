/**
 * One layer of a transformer encoder, normalised before each half. With a causal mask it is the layer of a language
 * model, and then it takes a cache.
 */

import type { KeyValueCache } from '../attention/cache.js';
import type { Mask } from '../attention/mask.js';
import type { RandomStream } from '../core/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Context } from './context.js';
import { Dropout } from './dropout.js';
import { FeedForward } from './feedForward.js';
import { LayerNorm } from './layerNorm.js';
import { Module } from './module.js';
import { MultiHeadAttention } from './multiHeadAttention.js';
import { residual } from './residual.js';

/** Sizes of a transformer block. */
export interface BlockOptions {
  /** Model width E. */
  readonly width: number;
  /** Attention heads H. */
  readonly heads: number;
  /** Key/value heads G of every attention; H must be a multiple. Default H. */
  readonly keyValueHeads?: number;
  /** Feed-forward width F. */
  readonly hidden: number;
  /** Dropout on every residual branch, inside the feed-forward half and on the attention weights. */
  readonly dropout: number;
  /** Biases in linear layers and norms. Default true. */
  readonly bias?: boolean;
  /** Probability of leaving a branch out while training. Default 0. */
  readonly stochasticDepth?: number;
}

/** What may differ from call to call. */
export interface EncoderBlockInputs {
  readonly mask?: Mask | undefined;
  /** Keys and values of earlier steps; only with a causal mask. */
  readonly cache?: KeyValueCache | undefined;
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
  readonly stochasticDepth: number;

  constructor(options: BlockOptions, random: RandomStream) {
    super();
    const { width, heads, keyValueHeads = heads, hidden, dropout, bias = true, stochasticDepth = 0 } = options;
    this.attentionNorm = new LayerNorm(width, { bias });
    this.attention = new MultiHeadAttention({ width, heads, keyValueHeads, dropout, bias }, random);
    this.feedForwardNorm = new LayerNorm(width, { bias });
    this.feedForward = new FeedForward({ width, hidden, dropout, bias }, random);
    this.dropout = new Dropout(dropout);
    this.stochasticDepth = stochasticDepth;
  }

  forward(x: Tensor, context: Context, inputs: EncoderBlockInputs = {}): Tensor {
    const attend = (): Tensor => this.attention.forward(this.attentionNorm.forward(x), context, inputs);
    const mixed = residual(x, () => this.dropout.forward(attend(), context), context, this.stochasticDepth); // [B, L, E]
    const change = (): Tensor => this.feedForward.forward(this.feedForwardNorm.forward(mixed), context);
    return residual(mixed, () => this.dropout.forward(change(), context), context, this.stochasticDepth); // [B, L, E]
  }
}
