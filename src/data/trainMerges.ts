/**
 * Byte-pair encoding as a training (Sennrich, Haddow and Birch 2016): words as rows of symbols, of which the most
 * frequent neighbours become one symbol, again and again. What symbols are is the caller's: byteLevelBpe.ts, wordPiece.ts.
 */

import { Heap } from './heap.js';

export interface MergeOptions {
  /** Tokens at the start, in the order of their ids; every symbol of every word is one of them. */
  readonly tokens: readonly string[];
  /** Tokens at the end, at most. */
  readonly size: number;
  /** Pairs seen less often are left alone. Default 2. */
  readonly minFrequency?: number;
  /** The symbol that two neighbours become. */
  readonly join: (left: string, right: string) => string;
}

export interface Merges {
  /** In the order of their ids. */
  readonly tokens: readonly string[];
  /** Pairs in the order in which they were merged. */
  readonly merges: readonly (readonly [left: string, right: string])[];
}

interface Candidate {
  readonly left: number;
  readonly right: number;
  readonly count: number;
}

/** Room for the right half of a pair in its key; vocabularies stay far below. */
const keyBase = 2 ** 24;

/** Two ids as one number. */
export function pairKey(left: number, right: number): number {
  return left * keyBase + right;
}

/**
 * Learns merges from words and how often they occur. Of pairs that occur equally often the one with the lower ids is
 * merged first, so the result depends on the words alone, not on their order.
 */
export function trainMerges(words: ReadonlyMap<readonly string[], number>, options: MergeOptions): Merges {
  return new Trainer(words, options).run();
}

class Trainer {
  readonly #tokens: string[];
  readonly #ids: Map<string, number>;
  readonly #words: number[][];
  readonly #counts: number[];
  /** How often a pair occurs, and in which words it has occurred. */
  readonly #pairs = new Map<number, { count: number; readonly words: Set<number> }>();
  readonly #heap = new Heap<Candidate>(
    (a, b) =>
      a.count > b.count || (a.count === b.count && (a.left < b.left || (a.left === b.left && a.right < b.right))),
  );
  readonly #options: MergeOptions;

  constructor(words: ReadonlyMap<readonly string[], number>, options: MergeOptions) {
    this.#options = options;
    this.#tokens = [...options.tokens];
    this.#ids = new Map(this.#tokens.map((token, id) => [token, id]));
    this.#words = [...words.keys()].map((symbols) => symbols.map((symbol) => this.#ids.get(symbol) as number));
    this.#counts = [...words.values()];
    this.#words.forEach((symbols, word) => {
      for (let at = 1; at < symbols.length; at++) this.#change(symbols[at - 1], symbols[at], word, 1);
    });
    for (const key of this.#pairs.keys()) this.#offer(key);
  }

  run(): Merges {
    const { size, minFrequency = 2 } = this.#options;
    const merges: (readonly [string, string])[] = [];
    while (this.#tokens.length < size) {
      const best = this.#next();
      if (best === undefined || best.count < minFrequency) break;
      merges.push([this.#tokens[best.left] as string, this.#tokens[best.right] as string]);
      this.#merge(best);
    }
    return { tokens: this.#tokens, merges };
  }

  /** The most frequent pair; entries of the heap whose count has changed since are put back in their place. */
  #next(): Candidate | undefined {
    for (let best = this.#heap.pop(); best !== undefined; best = this.#heap.pop()) {
      const key = pairKey(best.left, best.right);
      const count = this.#pairs.get(key)?.count ?? 0;
      if (count === best.count) return best;
      if (count > 0) this.#heap.push({ ...best, count });
    }
    return undefined;
  }

  #merge({ left, right }: Candidate): void {
    const id = this.#idOf(this.#options.join(this.#tokens[left] as string, this.#tokens[right] as string));
    const key = pairKey(left, right);
    const touched = new Set<number>();
    for (const word of this.#pairs.get(key)?.words ?? []) this.#mergeIn(word, left, right, id, touched);
    this.#pairs.delete(key);
    for (const other of touched) this.#offer(other);
  }

  #mergeIn(word: number, left: number, right: number, id: number, touched: Set<number>): void {
    const symbols = this.#words[word] as number[];
    let kept = 0;
    for (let at = 0; at < symbols.length; at++) {
      const isPair = symbols[at] === left && symbols[at + 1] === right;
      if (!isPair) {
        symbols[kept++] = symbols[at] as number;
        continue;
      }
      const [before, after] = [kept > 0 ? symbols[kept - 1] : undefined, symbols[at + 2]];
      this.#change(before, left, word, -1);
      this.#change(right, after, word, -1);
      touched.add(this.#change(before, id, word, 1)).add(this.#change(id, after, word, 1));
      symbols[kept++] = id;
      at++;
    }
    symbols.length = kept;
    touched.delete(-1);
  }

  /** Counts a pair of a word up or down; returns its key, or -1 at the edge of a word. */
  #change(left: number | undefined, right: number | undefined, word: number, by: 1 | -1): number {
    if (left === undefined || right === undefined) return -1;
    const key = pairKey(left, right);
    const pair = this.#pairs.get(key) ?? { count: 0, words: new Set() };
    pair.count += by * (this.#counts[word] as number);
    if (by === 1) pair.words.add(word);
    this.#pairs.set(key, pair);
    return key;
  }

  #offer(key: number): void {
    const count = this.#pairs.get(key)?.count ?? 0;
    if (count > 0) this.#heap.push({ left: Math.floor(key / keyBase), right: key % keyBase, count });
  }

  #idOf(token: string): number {
    const known = this.#ids.get(token);
    if (known !== undefined) return known;
    this.#ids.set(token, this.#tokens.length);
    return this.#tokens.push(token) - 1;
  }
}
