/** Dropout: noise in training, nothing otherwise. */

import { dropout } from '../tensor/elementwise.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Context } from './context.js';
import { Module } from './module.js';

/**
 * Zeroes each value with probability `rate` and scales the rest by `1 / (1 - rate)` while training
 * (Srivastava et al. 2014). No mask is stored: backward draws the same one again from the seed.
 */
export class Dropout extends Module {
  readonly rate: number;

  constructor(rate: number) {
    super();
    this.rate = rate;
  }

  forward(x: Tensor, context: Context): Tensor {
    if (!context.training || this.rate === 0) return x;
    return dropout(x, { rate: this.rate, seed: context.random.uint32() });
  }
}
