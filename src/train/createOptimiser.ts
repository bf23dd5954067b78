/** The optimiser that a configuration names. */

import type { Module } from '../nn/module.js';
import { AdamW } from './adamw.js';
import { Lion } from './lion.js';
import type { Optimiser } from './optimiser.js';
import { Sgd } from './sgd.js';

export interface OptimiserOptions {
  readonly optimiser: 'adamw' | 'sgd' | 'lion';
  /** Momentum of `sgd`. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

export function createOptimiser(model: Module, options: OptimiserOptions): Optimiser {
  const { beta1, beta2, epsilon, weightDecay } = options;
  switch (options.optimiser) {
    case 'adamw':
      return new AdamW(model, { beta1, beta2, epsilon, weightDecay });
    case 'sgd':
      return new Sgd(model, { momentum: beta1, weightDecay });
    case 'lion':
      return new Lion(model, { beta1, beta2, weightDecay });
  }
}
