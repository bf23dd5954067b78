/** Talking heads with learned mixing. Next: ../attention/normalisers.ts, which computes it. */

import { type Normaliser, talkingHeads } from '../attention/normalisers.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AttentionMechanism, MechanismOptions } from './attentionMechanism.js';
import { Module } from './module.js';

/**
 * Mixes the heads' scores before, and their weights after the normaliser; starts as the identity, which is attention
 * without talking. On the explicit path, O(L·S) memory.
 *
 * Shapes: before, after [H, H]. Source: Shazeer et al. 2020.
 */
export class TalkingHeads extends Module implements AttentionMechanism {
  readonly before: Tensor;
  readonly after: Tensor;
  readonly normaliser: Normaliser | undefined;

  constructor(heads: number, normaliser?: Normaliser) {
    super();
    this.before = identity(heads);
    this.after = identity(heads);
    this.normaliser = normaliser;
  }

  options(): MechanismOptions {
    return { normaliser: talkingHeads(this) };
  }
}

function identity(heads: number): Tensor {
  const values = Float32Array.from({ length: heads * heads }, (_, at) => Number(at % (heads + 1) === 0));
  return tensor(values, [heads, heads], { requiresGrad: true });
}
