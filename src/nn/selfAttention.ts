/**
 * Self-attention with one head, the first thing to read: every element of a sequence weighs every other. For several
 * heads at once see multiHeadAttention.ts, which is the same with its width split.
 */

import { attention } from '../attention/attention.js';
import type { Mask } from '../attention/mask.js';
import type { RandomStream } from '../core/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { reshape, unsqueeze } from '../tensor/views.js';
import type { Context } from './context.js';
import { Linear } from './linear.js';
import { Module } from './module.js';

/**
 * `softmax(x·Wq·(x·Wk)ᵀ / sqrt(E))·v`, with `v = x·Wv`, or `v = x` when the value projection is left out.
 *
 * Shapes: x [B, L, E] → [B, L, E].
 */
export class SelfAttention extends Module {
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear | undefined;

  constructor(width: number, random: RandomStream, options: { readonly valueProjection?: boolean } = {}) {
    super();
    this.q = new Linear(width, width, random);
    this.k = new Linear(width, width, random);
    this.v = (options.valueProjection ?? true) ? new Linear(width, width, random) : undefined;
  }

  forward(x: Tensor, context: Context, options: { readonly mask?: Mask } = {}): Tensor {
    const [q, k, v] = [this.q.forward(x), this.k.forward(x), this.v?.forward(x) ?? x]; // [B, L, E]
    const { out, record } = attention(oneHead(q), oneHead(k), oneHead(v), {
      ...options,
      record: context.captures?.wants(this),
    });
    if (record) context.captures?.take(this, 'self', record);
    return reshape(out, x.shape); // [B, L, E]
  }
}

/** [B, L, E] → [B, 1, L, E] */
function oneHead(x: Tensor): Tensor {
  return unsqueeze(x, 1);
}
