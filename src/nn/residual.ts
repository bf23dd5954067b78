/** The residual connection around a branch, and stochastic depth, which leaves whole branches out while training. */

import { add, affine } from '../tensor/elementwise.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Context } from './context.js';

/** Deeper blocks are left out more often: block `index` of `layers` with this probability (Huang et al. 2016, eq. 4). */
export function depthRate(rate: number, index: number, layers: number): number {
  return (rate * (index + 1)) / layers;
}

/**
 * `x + branch()`. While training, with probability `dropRate` x alone, and `x + branch() / (1 - dropRate)` otherwise, so
 * that the mean is the same (stochastic depth: Huang et al. 2016, eq. 2). A branch that is left out costs nothing.
 */
export function residual(x: Tensor, branch: () => Tensor, context: Context, dropRate = 0): Tensor {
  if (!context.training || dropRate === 0) return add(x, branch());
  if (context.random.uniform() < dropRate) return x;
  return add(x, affine(branch(), 1 / (1 - dropRate), 0));
}
