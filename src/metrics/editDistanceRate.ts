/**
 * Error rates of predicted sequences against references: of symbols (phoneme, character or word error rate, after what
 * a symbol is) and of whole sequences (word error rate, when a sequence is a word's pronunciation).
 */

import { StateError } from '../core/errors.js';
import { editDistance } from './editDistance.js';

/**
 * Counts errors in constant memory.
 *
 * symbol rate = Σ distance to the closest reference / Σ length of that reference (micro-averaged; may exceed 1);
 * sequence rate = share of predictions that equal none of their references. Among equally close references the shortest
 * counts, which never flatters the rate and does not depend on their order.
 *
 * Source: the convention for CMUdict, where a word may have several pronunciations: Bisani and Ney 2008;
 * Yolchuyeva et al. 2019.
 */
export class EditDistanceRate {
  #edits = 0;
  #symbols = 0;
  #wrong = 0;
  #sequences = 0;

  /** Adds one prediction. Errors: StateError when there is no reference. */
  add<Symbol>(predicted: ArrayLike<Symbol>, references: readonly ArrayLike<Symbol>[]): void {
    const [first, ...others] = references.map((reference) => ({
      edits: editDistance(predicted, reference),
      symbols: reference.length,
    }));
    if (first === undefined) throw new StateError('EditDistanceRate.add: expected at least one reference, got none');
    const closest = others.reduce((best, other) => (isCloser(other, best) ? other : best), first);
    this.#edits += closest.edits;
    this.#symbols += closest.symbols;
    this.#wrong += closest.edits > 0 ? 1 : 0;
    this.#sequences++;
  }

  /** Number of predictions added. */
  get sequences(): number {
    return this.#sequences;
  }

  /** NaN before any reference symbol was seen. */
  get symbolErrorRate(): number {
    return this.#edits / this.#symbols;
  }

  /** In [0, 1]; NaN before anything was added. */
  get sequenceErrorRate(): number {
    return this.#wrong / this.#sequences;
  }
}

interface Comparison {
  readonly edits: number;
  readonly symbols: number;
}

function isCloser(a: Comparison, b: Comparison): boolean {
  return a.edits < b.edits || (a.edits === b.edits && a.symbols < b.symbols);
}
