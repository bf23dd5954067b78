/** Lion: moves by the sign of a momentum, so every element moves by the same amount. */

import type { Module } from '../nn/module.js';
import { abs, add, affine, divide, maximum } from '../tensor/elementwise.js';
import { mixInto } from '../tensor/optimise.js';
import { noGrad } from '../tensor/recording.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { type Decay, type Moving, Optimiser, type Update } from './optimiser.js';

/** Decay of weights: 0.01 by default. */
export interface LionSettings extends Partial<Decay> {
  /** Share of the momentum in the direction of an update. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the momentum. Default 0.99. */
  readonly beta2?: number;
}

/** Smallest normal float32: what is below counts as zero, which has no sign. */
const tiny = 2 ** -126;

/**
 * `x = (1 - rate · decay) · x - rate · sign(β₁ · m + (1 - β₁) · g)`, `m = β₂ · m + (1 - β₂) · g` (Chen et al. 2023,
 * algorithm 2). Wants a rate 3 to 10 times smaller than AdamW and a decay as much larger.
 *
 * Memory: one float32 value a parameter.
 */
export class Lion extends Optimiser {
  readonly #beta1: number;
  readonly #beta2: number;

  constructor(model: Module, settings: LionSettings = {}) {
    const { beta1 = 0.9, beta2 = 0.99, weightDecay = 0.01, decayEmbeddings } = settings;
    super(model, ['m'], { weightDecay, decayEmbeddings });
    [this.#beta1, this.#beta2] = [beta1, beta2];
  }

  protected override move({ parameter, gradient, moments, decay }: Moving, { rate, gradientScale }: Update): void {
    const [m] = moments as readonly [Tensor];
    const [beta1, beta2] = [this.#beta1, this.#beta2];
    noGrad(() =>
      scope(() => {
        const direction = add(affine(m, beta1), affine(gradient, (1 - beta1) * gradientScale));
        mixInto(parameter, 1 - rate * decay, signOf(direction), -rate);
        mixInto(m, beta2, gradient, (1 - beta2) * gradientScale);
      }),
    );
  }
}

/** -1, 0 or 1 by element. */
function signOf(x: Tensor): Tensor {
  return divide(x, maximum(abs(x), tiny));
}
