/**
 * AdamW over the parameters of a model. The arithmetic is one kernel (../tensor/optimise.ts); this file owns the moments
 * and knows which parameters decay.
 */

import { Embedding } from '../nn/embedding.js';
import type { Module } from '../nn/module.js';
import { Positions } from '../nn/positions.js';
import { zeroGradients } from '../tensor/autograd.js';
import { zeros } from '../tensor/create.js';
import { adamwUpdate, squareSum } from '../tensor/optimise.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { StoredArrays } from './checkpoint.js';
import { loadTensors, storeTensors } from './parameters.js';

export interface AdamWSettings {
  /** Decay of the mean gradient. Default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean square. Default 0.98, as in Vaswani et al. 2017. */
  readonly beta2?: number;
  /** Default 1e-9, as in Vaswani et al. 2017. */
  readonly epsilon?: number;
  /** Decoupled decay, times the rate; none on biases, norms, embeddings and positions. Default 0.01. */
  readonly weightDecay?: number;
}

/** How one update is to be made. */
export interface Update {
  /** Number of this update, from 1. */
  readonly step: number;
  readonly rate: number;
  /** Multiplies every gradient: averaging and clipping. */
  readonly gradientScale: number;
}

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2).
 *
 * Memory: two float32 values a parameter.
 */
export class AdamW {
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly #decaying: ReadonlySet<Tensor>;
  readonly #m = new Map<string, Tensor>();
  readonly #v = new Map<string, Tensor>();
  readonly #settings: Required<AdamWSettings>;

  constructor(model: Module, settings: AdamWSettings = {}) {
    this.#settings = { beta1: 0.9, beta2: 0.98, epsilon: 1e-9, weightDecay: 0.01, ...settings };
    this.parameters = model.parameters();
    this.#decaying = decayingParameters(model);
    for (const [name, { shape, backend }] of this.parameters) {
      this.#m.set(name, keep(zeros(shape, { backend })));
      this.#v.set(name, keep(zeros(shape, { backend })));
    }
  }

  /** Euclidean norm over all gradients as they stand. */
  gradientNorm(): number {
    const gradients = [...this.parameters.values()].flatMap(({ grad }) => grad ?? []);
    return gradients.length === 0 ? 0 : scope(() => Math.sqrt(squareSum(gradients).item()));
  }

  /** Moves every parameter that has a gradient, and clears the gradients. */
  update({ step, rate, gradientScale }: Update): void {
    const { weightDecay, ...adam } = this.#settings;
    for (const [name, parameter] of this.parameters) {
      if (parameter.grad === undefined) continue;
      const decay = this.#decaying.has(parameter) ? weightDecay : 0;
      const [m, v] = [this.#m.get(name) as Tensor, this.#v.get(name) as Tensor];
      adamwUpdate(parameter, m, v, parameter.grad, { ...adam, decay, rate, step, gradientScale });
    }
    this.clearGradients();
  }

  clearGradients(): void {
    zeroGradients(this.parameters.values());
  }

  /** The moments, for a checkpoint. */
  store(): StoredArrays {
    return storeTensors(this.#moments());
  }

  /** Puts stored moments back; throws FormatError when they belong to another model. */
  load(arrays: StoredArrays): void {
    loadTensors(this.#moments(), arrays);
  }

  #moments(): Map<string, Tensor> {
    const under = (prefix: string, moments: ReadonlyMap<string, Tensor>) =>
      [...moments].map(([name, tensor]) => [`${prefix}.${name}`, tensor] as const);
    return new Map([...under('m', this.#m), ...under('v', this.#v)]);
  }
}

/** Matrices decay; vectors (biases, gains of norms) and tables of embeddings and positions do not. */
export function decayingParameters(model: Module): Set<Tensor> {
  const decaying = new Set([...model.parameters().values()].filter(({ shape }) => shape.length > 1));
  for (const module of model.modules().values()) {
    if (!(module instanceof Embedding || module instanceof Positions)) continue;
    for (const table of module.parameters().values()) decaying.delete(table);
  }
  return decaying;
}
