/**
 * An exponential moving average of the weights: smoother than the weights themselves, and what is judged and kept when a
 * training has one. Next: session.ts, which writes both into checkpoints.
 */

import { zeros } from '../tensor/create.js';
import { copyInto, mixInto } from '../tensor/optimise.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * After update s: `average = d · average + (1 - d) · weights` with `d = min(decay, (1 + s) / (10 + s))`, so that the
 * first weights are soon forgotten.
 *
 * Memory: one float32 value a parameter.
 */
export class WeightAverage {
  /** The average, under the names of the parameters. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly #parameters: ReadonlyMap<string, Tensor>;
  readonly #decay: number;

  constructor(parameters: ReadonlyMap<string, Tensor>, decay: number) {
    this.#parameters = parameters;
    this.#decay = decay;
    this.tensors = new Map([...parameters].map(([name, parameter]) => [name, copyOf(parameter)]));
  }

  /** Takes in the weights after update `step`. */
  add(step: number): void {
    const decay = Math.min(this.#decay, (1 + step) / (10 + step));
    for (const [parameter, average] of this.#pairs()) mixInto(average, decay, parameter, 1 - decay);
  }

  /** Runs `body` with the average in place of the weights. */
  async during<Result>(body: () => Result | Promise<Result>): Promise<Result> {
    this.#swap();
    try {
      return await body();
    } finally {
      this.#swap();
    }
  }

  #swap(): void {
    for (const [parameter, average] of this.#pairs()) {
      scope(() => {
        const held = zeros(parameter.shape, { backend: parameter.backend });
        copyInto(held, parameter);
        copyInto(parameter, average);
        copyInto(average, held);
      });
    }
  }

  *#pairs(): Generator<readonly [parameter: Tensor, average: Tensor]> {
    for (const [name, average] of this.tensors) yield [this.#parameters.get(name) as Tensor, average];
  }
}

function copyOf(parameter: Tensor): Tensor {
  const copy = keep(zeros(parameter.shape, { backend: parameter.backend }));
  copyInto(copy, parameter);
  return copy;
}
