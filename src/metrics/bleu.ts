/** BLEU of a corpus, as sacreBLEU defines it: 13a tokens, orders 1 to 4, exponential smoothing. */

import { StateError } from '../core/errors.js';
import { countNgrams, type NgramCounts, overlap } from './ngrams.js';
import { tokenize13a } from './tokenize13a.js';

const orders = [1, 2, 3, 4] as const;

/**
 * Counts matching runs of tokens over any number of segments, in constant memory.
 *
 * BLEU = 100 · min(1, e^(1 - r/c)) · (p₁·p₂·p₃·p₄)^(1/4), with c tokens predicted, r the sum of the closest reference
 * lengths (the shorter of two equally close), and pₙ the share of predicted runs that a reference has, each at most as
 * often as the reference that has it most. The k-th order without a match counts 1 / (2ᵏ · runs). Without any match, 0.
 *
 * Equals sacreBLEU 2.6 with its defaults (`case:mixed|eff:no|tok:13a|smooth:exp`), to rounding. Source: Papineni et al.
 * 2002; Post 2018.
 */
export class Bleu {
  readonly #lowercase: boolean;
  readonly #matches = orders.map(() => 0);
  readonly #runs = orders.map(() => 0);
  #predicted = 0;
  #expected = 0;
  #segments = 0;

  constructor({ lowercase = false }: { readonly lowercase?: boolean } = {}) {
    this.#lowercase = lowercase;
  }

  /** Adds a segment. Errors: StateError when there is no reference. */
  add(predicted: string, references: readonly string[]): void {
    if (references.length === 0) throw new StateError('Bleu.add: expected at least one reference, got none');
    const tokens = this.#tokens(predicted);
    const known = references.map((reference) => this.#tokens(reference));
    this.#segments++;
    this.#predicted += tokens.length;
    this.#expected += closest(
      tokens.length,
      known.map(({ length }) => length),
    );
    for (const [index, n] of orders.entries()) {
      const most = mostOf(known.map((reference) => countNgrams(reference, n)));
      this.#matches[index] = (this.#matches[index] ?? 0) + overlap(countNgrams(tokens, n), most);
      this.#runs[index] = (this.#runs[index] ?? 0) + Math.max(0, tokens.length - n + 1);
    }
  }

  /** In [0, 100]; NaN before anything was added. */
  get value(): number {
    if (this.#segments === 0) return Number.NaN;
    if (this.#matches.every((count) => count === 0)) return 0;
    const brevity = Math.min(1, Math.exp(1 - this.#expected / this.#predicted));
    const logarithms = this.#precisions().reduce((sum, precision) => sum + Math.log(precision), 0);
    return 100 * brevity * Math.exp(logarithms / orders.length);
  }

  /** Of every order; 0 for those longer than any segment. */
  #precisions(): number[] {
    let smoothing = 1;
    return this.#matches.map((matches, index) => {
      const runs = this.#runs[index] ?? 0;
      if (runs === 0) return 0;
      if (matches > 0) return matches / runs;
      smoothing *= 2;
      return 1 / (smoothing * runs);
    });
  }

  #tokens(segment: string): string[] {
    return tokenize13a(this.#lowercase ? segment.toLowerCase() : segment);
  }
}

function closest(length: number, others: readonly number[]): number {
  const distance = (other: number): number => Math.abs(other - length);
  return others.reduce((best, other) =>
    distance(other) < distance(best) || (distance(other) === distance(best) && other < best) ? other : best,
  );
}

/** The largest count of every run over all references. */
function mostOf(references: readonly NgramCounts[]): NgramCounts {
  const most = new Map<string, number>();
  for (const counts of references) {
    for (const [key, count] of counts) most.set(key, Math.max(count, most.get(key) ?? 0));
  }
  return most;
}
