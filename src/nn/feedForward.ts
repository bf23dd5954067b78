/** The position-wise feed-forward half of a transformer block. */

import type { RandomStream } from '../core/random.js';
import { gelu } from '../tensor/elementwise.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Context } from './context.js';
import { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { Module } from './module.js';

export interface FeedForwardOptions {
  /** Model width E. */
  readonly width: number;
  /** Feed-forward width F. */
  readonly hidden: number;
  readonly dropout: number;
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * `W₂·gelu(W₁·x + b₁) + b₂`, each position on its own (Vaswani et al. 2017, §3.3, with gelu for relu).
 *
 * Shapes: x [B, L, E] → [B, L, E], F in between.
 */
export class FeedForward extends Module {
  readonly expand: Linear;
  readonly contract: Linear;
  readonly dropout: Dropout;

  constructor({ width, hidden, dropout, bias = true }: FeedForwardOptions, random: RandomStream) {
    super();
    this.expand = new Linear(width, hidden, random, { bias });
    this.contract = new Linear(hidden, width, random, { bias });
    this.dropout = new Dropout(dropout);
  }

  forward(x: Tensor, context: Context): Tensor {
    const hidden = gelu(this.expand.forward(x)); // [B, L, F]
    return this.contract.forward(this.dropout.forward(hidden, context)); // [B, L, E]
  }
}
