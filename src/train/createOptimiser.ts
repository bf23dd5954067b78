/** The optimiser that a configuration names. */

import type { Module } from '../nn/module.js';
import { AdamW } from './adamw.js';
import { Lion } from './lion.js';
import type { Decay, Optimiser } from './optimiser.js';
import { Sgd } from './sgd.js';

export interface OptimiserOptions extends Decay {
  readonly optimiser: 'adamw' | 'sgd' | 'lion';
  /** Momentum of `sgd`. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

export function createOptimiser(model: Module, options: OptimiserOptions): Optimiser {
  const { beta1, beta2, epsilon, weightDecay, decayEmbeddings } = options;
  const decay = { weightDecay, decayEmbeddings };
  switch (options.optimiser) {
    case 'adamw':
      return new AdamW(model, { beta1, beta2, epsilon, ...decay });
    case 'sgd':
      return new Sgd(model, { momentum: beta1, ...decay });
    case 'lion':
      return new Lion(model, { beta1, beta2, ...decay });
  }
}
