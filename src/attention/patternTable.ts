/**
 * The patterns of partial blocks, equal ones once: the diagonal of a causal mask is one pattern, however long it is.
 * Used by blockMap.ts.
 */

import type { Span } from './maskPredicate.js';

/** Codes as in blockMap.ts. */
const [empty, full] = [-1, -2];

export class PatternTable {
  readonly #rows: number;
  readonly #keys: number;
  readonly #patterns: Uint8Array[] = [];
  /** Numbers of the patterns that share a hash. */
  readonly #byHash = new Map<number, number[]>();
  #cells: Uint8Array;

  constructor(rows: number, keys: number) {
    this.#rows = rows;
    this.#keys = keys;
    this.#cells = new Uint8Array(rows * keys);
  }

  /** Asks for every pair of a block; returns its code and how many pairs are allowed. */
  code(allows: (q: number, k: number) => boolean, queries: Span, keys: Span): readonly [code: number, pairs: number] {
    const cells = this.#cells.fill(0);
    let pairs = 0;
    for (let q = queries.start; q < queries.end; q++) {
      const row = (q - queries.start) * this.#keys;
      for (let k = keys.start; k < keys.end; k++) if (allows(q, k)) pairs += cells[row + k - keys.start] = 1;
    }
    if (pairs === 0) return [empty, 0];
    if (pairs === (queries.end - queries.start) * (keys.end - keys.start)) return [full, pairs];
    return [this.#numberOf(cells), pairs];
  }

  #numberOf(cells: Uint8Array): number {
    const hash = hashOf(cells);
    const alike = this.#byHash.get(hash) ?? [];
    const known = alike.find((n) => equal(this.#patterns[n] as Uint8Array, cells));
    if (known !== undefined) return known;
    this.#byHash.set(hash, [...alike, this.#patterns.length]);
    this.#cells = new Uint8Array(cells.length);
    return this.#patterns.push(cells) - 1;
  }

  /** All patterns, packed; one of zeros when there is none, so that their size is known. */
  values(): Uint8Array {
    const size = this.#rows * this.#keys;
    const packed = new Uint8Array(Math.max(1, this.#patterns.length) * size);
    for (const [n, cells] of this.#patterns.entries()) packed.set(cells, n * size);
    return packed;
  }
}

/** FNV-1. Plain loops, because a function of one's own may give a partial block for every 4,096 pairs. */
function hashOf(cells: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < cells.length; at++) hash = Math.imul(hash, 0x01000193) ^ (cells[at] as number);
  return hash;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false;
  return true;
}
