/** A table of learned vectors, looked up by id. */

import type { RandomStream } from '../core/random.js';
import { embedding } from '../tensor/indexing.js';
import type { Tensor } from '../tensor/tensor.js';
import { normalParameter } from './initialise.js';
import { Module } from './module.js';

/**
 * Rows of `weight` [V, E] by id. Drawn with deviation `1 / sqrt(E)`, so that `sqrt(E) ·` the row has unit scale.
 *
 * Shapes: ids i32 [...] → [..., E].
 */
export class Embedding extends Module {
  readonly weight: Tensor;

  constructor(vocabulary: number, width: number, random: RandomStream) {
    super();
    this.weight = normalParameter([vocabulary, width], 1 / Math.sqrt(width), random);
  }

  forward(ids: Tensor): Tensor {
    return embedding(this.weight, ids);
  }
}
