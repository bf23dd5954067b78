/**
 * What every update rule shares: the parameters, their moments, the norm of the gradient, checkpoints, and which
 * parameters decay. The rules: adamw.ts, sgd.ts, lion.ts.
 */

import { Embedding } from '../nn/embedding.js';
import type { Module } from '../nn/module.js';
import { Positions } from '../nn/positions.js';
import { zeroGradients } from '../tensor/autograd.js';
import { zeros } from '../tensor/create.js';
import { squareSum } from '../tensor/optimise.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import type { StoredArrays } from './checkpoint.js';
import { loadTensors, storeTensors } from './parameters.js';

/** How one update is to be made. */
export interface Update {
  /** Number of this update, from 1. */
  readonly step: number;
  readonly rate: number;
  /** Multiplies every gradient: averaging and clipping. */
  readonly gradientScale: number;
}

/** One parameter with its gradient and its moments. */
export interface Moving {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  /** In the order of the rule's `slots`. */
  readonly moments: readonly Tensor[];
  /** Decoupled weight decay of this parameter; 0 for biases and norms, and for embeddings unless asked for. */
  readonly decay: number;
}

/** Which parameters become smaller with every update, and by how much. */
export interface Decay {
  /** Decoupled decay, times the rate; none on biases and gains of norms. */
  readonly weightDecay: number;
  /** Tables of embeddings and positions decay too, as in GPT-2's code and nanoGPT. Default false. */
  readonly decayEmbeddings?: boolean | undefined;
}

/** Moves the parameters of a model by their gradients. Subclasses say how one of them moves. */
export abstract class Optimiser {
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly #decaying: ReadonlySet<Tensor>;
  readonly #weightDecay: number;
  readonly #moments = new Map<string, readonly Tensor[]>();
  readonly #slots: readonly string[];

  /** `slots` name what is kept for each parameter: one float32 value for each of its elements. */
  constructor(model: Module, slots: readonly string[], { weightDecay, decayEmbeddings }: Decay) {
    this.parameters = model.parameters();
    this.#decaying = decayingParameters(model, decayEmbeddings);
    this.#weightDecay = weightDecay;
    this.#slots = slots;
    for (const [name, { shape, backend }] of this.parameters) {
      this.#moments.set(
        name,
        slots.map(() => keep(zeros(shape, { backend }))),
      );
    }
  }

  protected abstract move(it: Moving, update: Update): void;

  /** Euclidean norm over all gradients as they stand. */
  gradientNorm(): number {
    const gradients = [...this.parameters.values()].flatMap(({ grad }) => grad ?? []);
    return gradients.length === 0 ? 0 : scope(() => Math.sqrt(squareSum(gradients).item()));
  }

  /** Moves every parameter that has a gradient, and clears the gradients. */
  update(update: Update): void {
    for (const [name, parameter] of this.parameters) {
      const { grad: gradient } = parameter;
      if (gradient === undefined) continue;
      const decay = this.#decaying.has(parameter) ? this.#weightDecay : 0;
      this.move({ parameter, gradient, moments: this.#moments.get(name) ?? [], decay }, update);
    }
    this.clearGradients();
  }

  clearGradients(): void {
    zeroGradients(this.parameters.values());
  }

  /** The moments, for a checkpoint. */
  store(): StoredArrays {
    return storeTensors(this.#named());
  }

  /** Puts stored moments back; throws FormatError when they belong to another model or another rule. */
  load(arrays: StoredArrays): void {
    loadTensors(this.#named(), arrays);
  }

  #named(): Map<string, Tensor> {
    const named = this.#slots.flatMap((slot, at) =>
      [...this.#moments].map(([name, moments]) => [`${slot}.${name}`, moments[at] as Tensor] as const),
    );
    return new Map(named);
  }
}

/** Matrices decay, vectors (biases, gains of norms) do not; tables of embeddings and positions only if asked for. */
export function decayingParameters(model: Module, embeddings = false): Set<Tensor> {
  const decaying = new Set([...model.parameters().values()].filter(({ shape }) => shape.length > 1));
  if (embeddings) return decaying;
  for (const module of model.modules().values()) {
    if (!(module instanceof Embedding || module instanceof Positions)) continue;
    for (const table of module.parameters().values()) decaying.delete(table);
  }
  return decaying;
}
