/** AdamW. The arithmetic is one kernel: ../tensor/optimise.ts. */

import type { Module } from '../nn/module.js';
import { adamwUpdate } from '../tensor/optimise.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Decay, type Moving, Optimiser, type Update } from './optimiser.js';

/** Decay of weights: 0.01 by default. */
export interface AdamWSettings extends Partial<Decay> {
  /** Decay of the mean gradient. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean square. Default 0.98, as in Vaswani et al. 2017. */
  readonly beta2?: number;
  /** Default 1e-9, as in Vaswani et al. 2017. */
  readonly epsilon?: number;
}

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2).
 *
 * Memory: two float32 values a parameter.
 */
export class AdamW extends Optimiser {
  readonly #settings: { readonly beta1: number; readonly beta2: number; readonly epsilon: number };

  constructor(model: Module, settings: AdamWSettings = {}) {
    const { beta1 = 0.9, beta2 = 0.98, epsilon = 1e-9, weightDecay = 0.01, decayEmbeddings } = settings;
    super(model, ['m', 'v'], { weightDecay, decayEmbeddings });
    this.#settings = { beta1, beta2, epsilon };
  }

  protected override move({ parameter, gradient, moments, decay }: Moving, update: Update): void {
    const [m, v] = moments as readonly [Tensor, Tensor];
    adamwUpdate(parameter, m, v, gradient, { ...this.#settings, ...update, decay });
  }
}
