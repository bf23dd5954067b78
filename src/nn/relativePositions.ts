/**
 * Positions by distance that have parameters: mechanisms of MultiHeadAttention, whose `forward` gives what the option `bias`
 * of attention takes. One may serve every layer (T5) or each its own (Shaw, Swin). Without parameters: `alibi` of
 * ../attention, and rotaryPositions.ts.
 */

import type { RelativeBias } from '../attention/relativeBias.js';
import { shaw } from '../attention/shaw.js';
import { swinBias } from '../attention/swinBias.js';
import { type T5BiasOptions, t5Bias } from '../attention/t5Bias.js';
import type { RandomStream } from '../core/random.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AttentionMechanism, MechanismOptions } from './attentionMechanism.js';
import { normalParameter } from './initialise.js';
import { Module } from './module.js';

export interface T5RelativeBiasOptions extends T5BiasOptions {
  readonly heads: number;
  /** Default 32. */
  readonly buckets?: number;
}

/** One score for each head and bucket of distances, `weight` [buckets, H] (Raffel et al. 2020, §2.1). */
export class T5RelativeBias extends Module implements AttentionMechanism {
  readonly weight: Tensor;
  readonly #options: T5BiasOptions;

  constructor({ heads, buckets = 32, ...options }: T5RelativeBiasOptions, random: RandomStream) {
    super();
    this.weight = normalParameter([buckets, heads], 0.02, random);
    this.#options = options;
  }

  forward(): RelativeBias {
    return t5Bias(this.weight, this.#options);
  }

  options(): MechanismOptions {
    return { bias: this.forward() };
  }
}

export interface ShawRelativePositionsOptions {
  /** Head width D, of keys and values. */
  readonly width: number;
  /** Distance k from which all count alike. */
  readonly reach: number;
  /** Vectors that join the values, too. Default true; the paper found the keys' to be enough (§4.3). */
  readonly values?: boolean;
}

/** A vector for each distance up to `reach`, `keys` and `values` [2k + 1, D] (Shaw et al. 2018, §3). */
export class ShawRelativePositions extends Module implements AttentionMechanism {
  readonly keys: Tensor;
  readonly values: Tensor | undefined;

  constructor({ width, reach, values = true }: ShawRelativePositionsOptions, random: RandomStream) {
    super();
    this.keys = normalParameter([2 * reach + 1, width], 0.02, random);
    this.values = values ? normalParameter([2 * reach + 1, width], 0.02, random) : undefined;
  }

  forward(): RelativeBias {
    return shaw({ keys: this.keys, values: this.values });
  }

  options(): MechanismOptions {
    return { bias: this.forward() };
  }
}

/** One score for each head and offset of two pixels of a window, `table` [(2h - 1)·(2w - 1), H] (Liu et al. 2021, eq. 4). */
export class SwinRelativeBias extends Module implements AttentionMechanism {
  readonly table: Tensor;
  readonly #window: readonly [height: number, width: number];

  constructor(window: readonly [height: number, width: number], heads: number, random: RandomStream) {
    super();
    const [height, width] = window;
    this.table = normalParameter([(2 * height - 1) * (2 * width - 1), heads], 0.02, random);
    this.#window = window;
  }

  /** [1, H, h·w, h·w] */
  forward(): Tensor {
    return swinBias(this.table, this.#window);
  }

  options(): MechanismOptions {
    return { bias: this.forward() };
  }
}
