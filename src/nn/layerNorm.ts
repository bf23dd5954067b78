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
  readonly bias: Tensor;

  constructor(width: number) {
    super();
    this.weight = oneParameter([width]);
    this.bias = zeroParameter([width]);
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.weight, this.bias);
  }
}
