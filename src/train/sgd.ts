/** Stochastic gradient descent with momentum. */

import type { Module } from '../nn/module.js';
import { mixInto } from '../tensor/optimise.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Decay, type Moving, Optimiser, type Update } from './optimiser.js';

/** Decay of weights: none by default. */
export interface SgdSettings extends Partial<Decay> {
  /** Decay of the running sum of gradients; 0 = plain descent. Default 0.9. */
  readonly momentum?: number;
}

/**
 * `m = momentum · m + g`, `x = (1 - rate · decay) · x - rate · m` (Polyak 1964; Sutskever et al. 2013, without Nesterov's
 * step; decay decoupled as in SGDW, Loshchilov and Hutter 2019).
 *
 * Memory: one float32 value a parameter.
 */
export class Sgd extends Optimiser {
  readonly #momentum: number;

  constructor(model: Module, { momentum = 0.9, weightDecay = 0, decayEmbeddings }: SgdSettings = {}) {
    super(model, ['m'], { weightDecay, decayEmbeddings });
    this.#momentum = momentum;
  }

  protected override move({ parameter, gradient, moments, decay }: Moving, { rate, gradientScale }: Update): void {
    const [m] = moments as readonly [Tensor];
    mixInto(m, this.#momentum, gradient, gradientScale);
    mixInto(parameter, 1 - rate * decay, m, -rate);
  }
}
