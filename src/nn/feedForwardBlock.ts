/**
 * One layer that changes every position on its own: an encoder block without its attention half, which is what models
 * that pool have instead. Next: encoderBlock.ts.
 */

import type { RandomStream } from '../core/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Context } from './context.js';
import { Dropout } from './dropout.js';
import { FeedForward, type FeedForwardOptions } from './feedForward.js';
import { LayerNorm } from './layerNorm.js';
import { Module } from './module.js';
import { residual } from './residual.js';

/**
 * `x + feedForward(norm(x))`. With `hidden + 2·width` it has the weight matrices' size of an encoder block with `hidden`.
 *
 * Shapes: x [B, L, E] → [B, L, E].
 */
export class FeedForwardBlock extends Module {
  readonly norm: LayerNorm;
  readonly feedForward: FeedForward;
  readonly dropout: Dropout;

  constructor(options: FeedForwardOptions, random: RandomStream) {
    super();
    this.norm = new LayerNorm(options.width);
    this.feedForward = new FeedForward(options, random);
    this.dropout = new Dropout(options.dropout);
  }

  forward(x: Tensor, context: Context): Tensor {
    const change = (): Tensor => this.feedForward.forward(this.norm.forward(x), context);
    return residual(x, () => this.dropout.forward(change(), context), context);
  }
}
