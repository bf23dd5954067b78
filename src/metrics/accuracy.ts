/** Share of right predictions, counted in constant memory: of labels, or of tokens with padding left out. */

import { ShapeError } from '../core/errors.js';

/**
 * Counts right predictions.
 *
 * With teacher forcing and `ignore` set to the padding id, the value is token accuracy: every token is predicted from
 * the true tokens before it.
 */
export class Accuracy {
  readonly #ignore: number | undefined;
  #right = 0;
  #total = 0;

  /** Pairs whose expected label is `ignore` are not counted. */
  constructor(options: { readonly ignore?: number } = {}) {
    this.#ignore = options.ignore;
  }

  /** Adds pairs of the same position. Errors: ShapeError when there are not as many of both. */
  add(predicted: ArrayLike<number>, expected: ArrayLike<number>): void {
    if (predicted.length !== expected.length) {
      throw new ShapeError(
        `Accuracy.add: expected predicted [N] = [${expected.length}] to match expected, got [${predicted.length}]`,
      );
    }
    for (let index = 0; index < expected.length; index++) {
      if (expected[index] === this.#ignore) continue;
      this.#total++;
      if (predicted[index] === expected[index]) this.#right++;
    }
  }

  /** Number of pairs counted. */
  get total(): number {
    return this.#total;
  }

  /** In [0, 1]; NaN before anything was counted. */
  get value(): number {
    return this.#right / this.#total;
  }
}
