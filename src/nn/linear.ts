/** A learned affine map of the last axis. */

import type { RandomStream } from '../core/random.js';
import { linear } from '../tensor/linearAlgebra.js';
import type { Tensor } from '../tensor/tensor.js';
import { xavierUniform, zeroParameter } from './initialise.js';
import { Module } from './module.js';

/**
 * `y = x·Wᵀ + b`.
 *
 * Shapes: x [..., input] → [..., output]; weight [output, input]; bias [output].
 */
export class Linear extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;

  constructor(input: number, output: number, random: RandomStream, options: { readonly bias?: boolean } = {}) {
    super();
    this.weight = xavierUniform([output, input], random);
    this.bias = (options.bias ?? true) ? zeroParameter([output]) : undefined;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
