/** Whether probabilities can be taken at their word: how far confidence and accuracy are apart. */

import { ShapeError, StateError } from '../core/errors.js';
import { RunningMean } from './runningMean.js';

/**
 * Expected calibration error over bins of equal width, in memory of the bins.
 *
 * ECE = Σ_b n_b / n · |mean confidence of bin b - share of right ones in bin b|; bin b of B holds confidences in
 * (b/B, (b+1)/B], the first also 0. Source: Naeini et al. 2015; Guo et al. 2017, whose 15 bins are the default.
 */
export class CalibrationError {
  readonly #confidence: readonly RunningMean[];
  readonly #right: readonly RunningMean[];

  constructor({ bins = 15 }: { readonly bins?: number } = {}) {
    if (!(Number.isInteger(bins) && bins >= 1))
      throw new StateError(`CalibrationError: expected bins >= 1, got ${bins}`);
    this.#confidence = Array.from({ length: bins }, () => new RunningMean());
    this.#right = Array.from({ length: bins }, () => new RunningMean());
  }

  /**
   * Adds the probability that each prediction was given, and whether it was right (1) or not (0).
   * Errors: ShapeError for unequal numbers, StateError for a probability outside [0, 1].
   */
  add(confidences: ArrayLike<number>, right: ArrayLike<number>): void {
    if (confidences.length !== right.length) {
      throw new ShapeError(
        `CalibrationError.add: expected confidences [N] = [${right.length}] to match right, got [${confidences.length}]`,
      );
    }
    for (let index = 0; index < right.length; index++) {
      const confidence = confidences[index] ?? Number.NaN;
      const bin = this.#binOf(confidence);
      this.#confidence[bin]?.add(confidence);
      this.#right[bin]?.add(right[index] === 1 ? 1 : 0);
    }
  }

  /** In [0, 1]; NaN before anything was added. */
  get value(): number {
    const error = new RunningMean();
    for (const [bin, { value, weight }] of this.#confidence.entries()) {
      if (weight > 0) error.add(Math.abs(value - (this.#right[bin]?.value ?? 0)), weight);
    }
    return error.value;
  }

  #binOf(confidence: number): number {
    if (!(confidence >= 0 && confidence <= 1)) {
      throw new StateError(`CalibrationError.add: expected a probability in [0, 1], got ${confidence}`);
    }
    const bins = this.#confidence.length;
    const guess = Math.max(0, Math.ceil(confidence * bins) - 1);
    // Edges are k/B as a number has them: a confidence that is such a number belongs below it.
    return guess + 1 < bins && confidence > (guess + 1) / bins ? guess + 1 : guess;
  }
}
