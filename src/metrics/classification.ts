/** Precision, recall and F1 from counts per class, in memory of the number of classes. */

import { ShapeError, StateError } from '../core/errors.js';

/** Scores in [0, 1]. A ratio over nothing is 0, as in scikit-learn's default, so that an unused class cannot shine. */
export interface ClassScores {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Counts of true positives, false positives and false negatives for each of `classes` labels 0 … classes-1. */
export class Classification {
  readonly #hits: Float64Array;
  readonly #predicted: Float64Array;
  readonly #expected: Float64Array;

  constructor(classes: number) {
    if (!(Number.isInteger(classes) && classes >= 2)) {
      throw new StateError(`Classification: expected classes >= 2, got ${classes}`);
    }
    this.#hits = new Float64Array(classes);
    this.#predicted = new Float64Array(classes);
    this.#expected = new Float64Array(classes);
  }

  /** Adds pairs of the same position. Errors: ShapeError for unequal numbers, StateError for a label out of range. */
  add(predicted: ArrayLike<number>, expected: ArrayLike<number>): void {
    if (predicted.length !== expected.length) {
      throw new ShapeError(
        `Classification.add: expected predicted [N] = [${expected.length}] to match expected, got [${predicted.length}]`,
      );
    }
    for (let index = 0; index < expected.length; index++) {
      const guess = this.#label(predicted[index]);
      const truth = this.#label(expected[index]);
      increment(this.#predicted, guess);
      increment(this.#expected, truth);
      if (guess === truth) increment(this.#hits, truth);
    }
  }

  /** Scores of one class against the rest; of two classes, `scores(1)` is the usual binary F1. */
  scores(label: number): ClassScores {
    const at = this.#label(label);
    return scoresOf(this.#hits[at] ?? 0, this.#predicted[at] ?? 0, this.#expected[at] ?? 0);
  }

  /**
   * Plain mean of the classes' scores: every class weighs the same, and one that never occurs counts 0, as in
   * scikit-learn with `labels` given. F1 is the mean of F1, not F1 of the means.
   */
  macro(): ClassScores {
    const all = Array.from(this.#hits.keys(), (label) => this.scores(label));
    const mean = (key: keyof ClassScores): number => all.reduce((sum, scores) => sum + scores[key], 0) / all.length;
    return { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') };
  }

  /** Mean of the classes' scores, each weighing as many examples as it has: scikit-learn's `weighted`. */
  weighted(): ClassScores {
    const all = sum(this.#expected);
    const mean = (key: keyof ClassScores): number =>
      this.#expected.reduce((total, count, label) => total + count * this.scores(label)[key], 0) / all;
    return { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') };
  }

  /** Scores of all decisions together: every example weighs the same. With one label each, all three are accuracy. */
  micro(): ClassScores {
    return scoresOf(sum(this.#hits), sum(this.#predicted), sum(this.#expected));
  }

  #label(label: number | undefined): number {
    if (label !== undefined && Number.isInteger(label) && label >= 0 && label < this.#hits.length) return label;
    throw new StateError(`Classification: expected a label in [0, ${this.#hits.length}), got ${label}`);
  }
}

function scoresOf(hits: number, predicted: number, expected: number): ClassScores {
  return {
    precision: ratio(hits, predicted),
    recall: ratio(hits, expected),
    f1: ratio(2 * hits, predicted + expected),
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function increment(counts: Float64Array, label: number): void {
  counts[label] = (counts[label] ?? 0) + 1;
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0);
}
