/** Finds, among many texts, the one that shares most runs of characters with another: what a memory without a model does. */

import { countNgrams, type NgramCounts, total } from '../metrics/ngrams.js';

/** Characters in a run. */
const run = 3;

/**
 * An index of texts by their runs of three characters, case left out.
 *
 * Similarity is Dice's: 2 · shared / (runs of one + runs of the other), runs that occur several times counting as often.
 */
export class NearestText {
  /** For each run, the texts that have it and how often. */
  readonly #places = new Map<string, [text: number, count: number][]>();
  readonly #sizes: readonly number[];

  constructor(texts: readonly string[]) {
    this.#sizes = texts.map((text, index) => {
      const counts = runsOf(text);
      for (const [key, count] of counts) this.#add(key, index, count);
      return total(counts);
    });
  }

  /** The number of the nearest text, the first of equals; undefined when none shares a run. */
  find(text: string): number | undefined {
    const counts = runsOf(text);
    const size = total(counts);
    let [best, most]: [number | undefined, number] = [undefined, 0];
    for (const [index, shared] of this.#shared(counts).entries()) {
      const similarity = (2 * shared) / (size + (this.#sizes[index] ?? 0));
      if (similarity > most) [best, most] = [index, similarity];
    }
    return best;
  }

  #add(key: string, index: number, count: number): void {
    const places = this.#places.get(key);
    if (places) places.push([index, count]);
    else this.#places.set(key, [[index, count]]);
  }

  /** Runs shared with every text. */
  #shared(counts: NgramCounts): Float64Array {
    const shared = new Float64Array(this.#sizes.length);
    for (const [key, count] of counts) {
      for (const [index, known] of this.#places.get(key) ?? [])
        shared[index] = (shared[index] ?? 0) + Math.min(count, known);
    }
    return shared;
  }
}

/** Ends count as characters, so that even a text of one letter has a run. */
function runsOf(text: string): NgramCounts {
  return countNgrams(['', ...text.toLowerCase(), ''], run, '\u0000');
}
