/** chrF of a corpus, as sacreBLEU defines it: runs of one to six characters, recall counting twice. */

import { StateError } from '../core/errors.js';
import { countNgrams, overlap, total, words } from './ngrams.js';

const characterOrder = 6;
const beta = 2;

/** Runs of one order: predicted, expected, in both. */
interface Counts {
  readonly predicted: number;
  readonly expected: number;
  readonly shared: number;
}

/**
 * Counts matching runs over any number of segments, in constant memory.
 *
 * chrF = 100 · 5·P·R / (4·P + R), with P and R the means, over the orders that both sides have, of shared runs by
 * predicted runs and by expected runs. White space is left out. Of several references the one with the best chrF counts.
 * `wordOrder: 2` adds runs of one and two words, punctuation split off: chrF++.
 *
 * Equals sacreBLEU 2.6 (`nc:6|nw:0|space:no|eff:yes`), to rounding. Source: Popović 2015, 2017.
 */
export class Chrf {
  readonly #wordOrder: number;
  #sums: readonly Counts[] = [];
  #segments = 0;

  constructor({ wordOrder = 0 }: { readonly wordOrder?: 0 | 1 | 2 } = {}) {
    this.#wordOrder = wordOrder;
  }

  /** Adds a segment. Errors: StateError when there is no reference. */
  add(predicted: string, references: readonly string[]): void {
    const [first, ...others] = references.map((reference) => this.#compare(predicted, reference));
    if (first === undefined) throw new StateError('Chrf.add: expected at least one reference, got none');
    const best = others.reduce((best, other) => (score(other) > score(best) ? other : best), first);
    this.#sums = best.map((counts, order) => added(counts, this.#sums[order]));
    this.#segments++;
  }

  /** In [0, 100]; NaN before anything was added. */
  get value(): number {
    return this.#segments === 0 ? Number.NaN : 100 * score(this.#sums);
  }

  #compare(predicted: string, expected: string): Counts[] {
    const characters = compareOrders(charactersOf(predicted), charactersOf(expected), characterOrder, '');
    return [...characters, ...compareOrders(splitWords(predicted), splitWords(expected), this.#wordOrder, ' ')];
  }
}

function compareOrders(a: readonly string[], b: readonly string[], orders: number, separator: string): Counts[] {
  return Array.from({ length: orders }, (_, index) => {
    const [predicted, expected] = [countNgrams(a, index + 1, separator), countNgrams(b, index + 1, separator)];
    // As in sacreBLEU: an order that the reference does not have counts on neither side.
    const runs = expected.size > 0 ? total(predicted) : 0;
    return { predicted: runs, expected: total(expected), shared: overlap(predicted, expected) };
  });
}

function added(a: Counts, b: Counts = { predicted: 0, expected: 0, shared: 0 }): Counts {
  return {
    predicted: a.predicted + b.predicted,
    expected: a.expected + b.expected,
    shared: a.shared + b.shared,
  };
}

/** F of the mean precision and the mean recall of all orders that both sides have. */
function score(counts: readonly Counts[]): number {
  const used = counts.filter(({ predicted, expected }) => predicted > 0 && expected > 0);
  const precision = used.reduce((sum, { predicted, shared }) => sum + shared / predicted, 0) / used.length;
  const recall = used.reduce((sum, { expected, shared }) => sum + shared / expected, 0) / used.length;
  if (!(precision + recall > 0)) return 0;
  return ((1 + beta ** 2) * precision * recall) / (beta ** 2 * precision + recall);
}

function charactersOf(text: string): string[] {
  return [...words(text).join('')];
}

const punctuation = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');

/** Words with one mark of punctuation split off behind, or else before. */
function splitWords(text: string): string[] {
  return words(text).flatMap((word) => {
    const characters = [...word];
    const [first = '', last = ''] = [characters[0], characters.at(-1)];
    if (characters.length === 1) return [word];
    if (punctuation.has(last)) return [characters.slice(0, -1).join(''), last];
    return punctuation.has(first) ? [first, characters.slice(1).join('')] : [word];
  });
}
