/** Area under the ROC curve: how often a positive example scores above a negative one. */

import { ShapeError, StateError } from '../core/errors.js';

export interface RocAucOptions {
  /** Pairs kept as they are; up to here the value is exact. Default 65,536, which takes 1 MB. */
  readonly exactPairs?: number;
  /** Bins of equal width over [0, 1] for more pairs than that. Default 16,384. */
  readonly bins?: number;
}

/** Positive and negative examples with one score, or of one bin. */
type Group = readonly [positives: number, negatives: number];

/**
 * Collects scores of two classes in constant memory.
 *
 * value = (pairs of a positive and a negative in the right order + half of those with equal scores) / all such pairs,
 * which is scikit-learn's `roc_auc_score`. Up to `exactPairs` scores it is exact. With more, scores are put into bins
 * and those of one bin count as equal; `error` says how far off that can be at most, from the very counts.
 *
 * For several classes take one object a class. Source: Hanley and McNeil 1982.
 */
export class RocAuc {
  readonly #limit: number;
  readonly #bins: number;
  #pairs: (readonly [score: number, label: 0 | 1])[] = [];
  #counts: { readonly positives: Float64Array; readonly negatives: Float64Array } | undefined;

  constructor({ exactPairs = 65_536, bins = 16_384 }: RocAucOptions = {}) {
    if (!(Number.isInteger(bins) && bins >= 1)) throw new StateError(`RocAuc: expected bins >= 1, got ${bins}`);
    this.#limit = exactPairs;
    this.#bins = bins;
  }

  /**
   * Adds the score of the positive class, in [0, 1], and the label, 0 or 1, of each example.
   * Errors: ShapeError for unequal numbers, StateError for a score or a label out of range.
   */
  add(scores: ArrayLike<number>, labels: ArrayLike<number>): void {
    if (scores.length !== labels.length) {
      throw new ShapeError(
        `RocAuc.add: expected scores [N] = [${labels.length}] to match labels, got [${scores.length}]`,
      );
    }
    for (let index = 0; index < scores.length; index++) {
      this.#addOne(checkedScore(scores[index]), checkedLabel(labels[index]));
    }
  }

  /** In [0, 1]; NaN until both classes were seen. */
  get value(): number {
    const { inOrder, all } = countPairs(this.#groups());
    return inOrder / all;
  }

  /** Largest distance of `value` from the exact area: 0 up to `exactPairs`, then half the share of pairs within a bin. */
  get error(): number {
    const { together, all } = countPairs(this.#groups());
    return this.#counts === undefined ? 0 : together / 2 / all;
  }

  #addOne(score: number, label: 0 | 1): void {
    if (this.#counts === undefined && this.#pairs.length < this.#limit) {
      this.#pairs.push([score, label]);
      return;
    }
    this.#counts ??= { positives: new Float64Array(this.#bins), negatives: new Float64Array(this.#bins) };
    for (const [kept, keptLabel] of [...this.#pairs.splice(0), [score, label] as const]) {
      const counts = keptLabel === 1 ? this.#counts.positives : this.#counts.negatives;
      const bin = Math.min(this.#bins - 1, Math.floor(kept * this.#bins));
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
  }

  /** Groups of equal scores, rising. */
  *#groups(): Generator<Group> {
    if (this.#counts !== undefined) {
      const { positives, negatives } = this.#counts;
      for (const [bin, count] of positives.entries()) yield [count, negatives[bin] ?? 0];
      return;
    }
    const byScore = new Map<number, [number, number]>();
    for (const [score, label] of this.#pairs) {
      const group = byScore.get(score) ?? [0, 0];
      group[label === 1 ? 0 : 1]++;
      byScore.set(score, group);
    }
    for (const score of [...byScore.keys()].sort((a, b) => a - b)) yield byScore.get(score) ?? [0, 0];
  }
}

function countPairs(groups: Iterable<Group>): { inOrder: number; together: number; all: number } {
  let [positives, negatives, inOrder, together] = [0, 0, 0, 0];
  for (const [up, down] of groups) {
    inOrder += up * (negatives + down / 2);
    together += up * down;
    positives += up;
    negatives += down;
  }
  return { inOrder, together, all: positives * negatives };
}

function checkedScore(score: number | undefined): number {
  if (score !== undefined && score >= 0 && score <= 1) return score;
  throw new StateError(`RocAuc.add: expected a score in [0, 1], got ${score}; use probabilities, not logits`);
}

function checkedLabel(label: number | undefined): 0 | 1 {
  if (label === 0 || label === 1) return label;
  throw new StateError(`RocAuc.add: expected a label 0 or 1, got ${label}`);
}
