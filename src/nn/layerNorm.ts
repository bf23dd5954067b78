/** Layer normalisation over the last axis. */

import { layerNorm } from '../tensor/normalise.js';
import type { Tensor } from '../tensor/tensor.js';
import { oneParameter, zeroParameter } from './initialise.js';
import { Module } from './module.js';

/**
 * `weight · (x - mean) / sqrt(variance + 1e-5) + bias` (Ba, Kiros and Hinton 2016).
 *
 * Shapes: x [..., E] → [..., E]; weight, bias [E].
 */
export class LayerNorm extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;

  constructor(width: number, options: { readonly bias?: boolean } = {}) {
    super();
    this.weight = oneParameter([width]);
    this.bias = (options.bias ?? true) ? zeroParameter([width]) : undefined;
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias);
  }
}
