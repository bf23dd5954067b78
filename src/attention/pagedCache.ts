/**
 * The paged cache: keys and values of many sequences in pages of one common memory, so that sequences of very different
 * lengths waste at most a page each and copies share what they have in common. Next: pagePool.ts for who has which page.
 */

import { ShapeError, StateError } from '../core/errors.js';
import { zeros } from '../tensor/create.js';
import { copyInto } from '../tensor/optimise.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { slice, unsqueeze } from '../tensor/views.js';
import { AttentionCache, checkLengths, checkLikeHeld, type Held, type HeldPart, startMask } from './attentionCache.js';
import { PagePool } from './pagePool.js';

export interface PagedCacheOptions {
  /** Pages in the common memory. */
  readonly pages: number;
  /** Positions a page. Default 64. */
  readonly pageSize?: number;
}

interface Sequence {
  /** The pages of positions 0 … pageSize - 1, pageSize … and so on. */
  readonly pages: readonly number[];
  readonly length: number;
}

/** Slots of the memory that hold neighbouring positions. */
interface Run {
  /** First slot, first position, number of positions. */
  readonly slot: number;
  readonly position: number;
  readonly count: number;
}

/**
 * A cache of fixed memory, [G, pages · pageSize, D] for keys and the same for values.
 *
 * Attention reads neighbouring pages as one piece without copying, and puts the pieces together by their `lse`, which is
 * exact. With a record, a bias, or a mask other than causal and windows, the pages are gathered first, which costs a copy.
 * Errors: StateError when no page is free. Source: Kwon et al. 2023 (PagedAttention), §4.
 *
 * @example
 * using cache = new PagedCache({ pages: 256, pageSize: 64 });
 * const { out } = attention(q, k, v, { mask: causal(), cache });
 */
export class PagedCache extends AttentionCache {
  readonly pageSize: number;
  readonly #slots: number;
  readonly #pool: PagePool;
  #memory: { readonly k: Tensor; readonly v: Tensor } | undefined;
  #sequences: readonly Sequence[] = [];

  constructor({ pages, pageSize = 64 }: PagedCacheOptions) {
    super();
    for (const [name, value] of Object.entries({ pages, pageSize }))
      if (!Number.isInteger(value) || value < 1)
        throw new ShapeError(`PagedCache: expected ${name} a whole number >= 1, got ${value}`);
    this.pageSize = pageSize;
    this.#slots = pages * pageSize;
    this.#pool = new PagePool(pages);
  }

  get length(): number {
    return this.#sequences.reduce((longest, { length }) => Math.max(longest, length), 0);
  }

  /** Positions held by every sequence [B]. */
  get lengths(): readonly number[] {
    return this.#sequences.map(({ length }) => length);
  }

  /** Pages in nobody's use. */
  get freePages(): number {
    return this.#pool.free;
  }

  /** The pages of every sequence, in the order of their positions. */
  get tables(): readonly (readonly number[])[] {
    return this.#sequences.map(({ pages }) => pages);
  }

  /** As every cache: a copy of all that is held, sequences ending together. `attention` prefers `appendInParts`. */
  append(k: Tensor, v: Tensor): Held {
    const memory = this.#write(k, v);
    const longest = this.length;
    const mask = startMask(
      this.lengths.map((length) => longest - length),
      longest,
      k,
    );
    return { k: this.#gathered(memory.k, k), v: this.#gathered(memory.v, v), ...(mask && { mask }) };
  }

  override appendInParts(k: Tensor, v: Tensor): readonly HeldPart[] {
    const memory = this.#write(k, v);
    const L = k.shape[2] as number;
    return this.#sequences.flatMap((sequence, row) =>
      this.#runs(sequence).map(({ slot, position, count }) => {
        const part = (x: Tensor): Tensor => unsqueeze(slice(x, 1, slot, slot + count), 0); // [1, G, count, D]
        return { row, k: part(memory.k), v: part(memory.v), offset: sequence.length - L - position };
      }),
    );
  }

  /** Makes row b of the batch a copy of the old row `rows[b]`. Pages are shared until one of the copies writes. */
  reorder(rows: ArrayLike<number>): void {
    const old = this.#sequences;
    const next = Array.from(rows, (row) => old[row]);
    if (!next.every((sequence) => sequence !== undefined))
      throw new ShapeError(`reorder: expected rows in [0, ${old.length}), got [${Array.from(rows).join(', ')}]`);
    for (const { pages } of next) for (const page of pages) this.#pool.share(page);
    for (const { pages } of old) for (const page of pages) this.#pool.release(page);
    this.#sequences = next;
  }

  /** Forgets the last positions: sequence b keeps its first `lengths[b]`; pages that become empty are free again. */
  truncate(lengths: readonly number[]): void {
    checkLengths('truncate', lengths, this.lengths);
    this.#sequences = this.#sequences.map(({ pages }, b) => {
      const length = lengths[b] as number;
      const kept = Math.ceil(length / this.pageSize);
      for (const page of pages.slice(kept)) this.#pool.release(page);
      return { pages: pages.slice(0, kept), length };
    });
  }

  dispose(): void {
    this.truncate(this.lengths.map(() => 0));
    this.#sequences = [];
    this.#memory?.k.dispose();
    this.#memory?.v.dispose();
    this.#memory = undefined;
  }

  /** Writes new rows behind every sequence. */
  #write(k: Tensor, v: Tensor): { readonly k: Tensor; readonly v: Tensor } {
    const [B, G, L, D] = k.shape as [number, number, number, number];
    this.#checkRows(k, v);
    if (this.#sequences.length === 0) this.#sequences = Array.from({ length: B }, () => ({ pages: [], length: 0 }));
    const make = (width: number): Tensor => keep(zeros([G, this.#slots, width], { backend: k.backend }));
    this.#memory ??= { k: make(D), v: make(v.shape[3] as number) };
    const memory = this.#memory;
    this.#sequences = this.#sequences.map((sequence, b) => {
      const grown = this.#grown(sequence, L, memory);
      for (const { slot, position, count } of this.#runs(grown, sequence.length))
        for (const [x, rows] of [
          [memory.k, k],
          [memory.v, v],
        ] as const) {
          // biome-ignore format: a list of pairs
          const from = position - sequence.length;
          const source = slice(slice(rows, 0, b, b + 1), 2, from, from + count);
          copyInto(unsqueeze(slice(x, 1, slot, slot + count), 0), source);
        }
      return grown;
    });
    return memory;
  }

  #checkRows(k: Tensor, v: Tensor): void {
    const { k: keys, v: values } = this.#memory ?? {};
    const rows = this.#sequences.length;
    if (keys && values) checkLikeHeld(k, v, { k: unsqueeze(keys, 0), v: unsqueeze(values, 0) }, rows);
    const [B, , L] = k.shape as [number, number, number];
    const wanted = this.#newPages(B, L);
    if (wanted > this.freePages)
      throw new StateError(
        `PagedCache: expected ${wanted} free pages for ${B} × ${L} positions, got ${this.freePages}; truncate or dispose sequences, or build the cache with more pages`,
      );
  }

  /** Pages that L more positions need: behind the last ones, and in place of shared ones. */
  #newPages(B: number, L: number): number {
    const lengths = this.#sequences.length === 0 ? new Array<number>(B).fill(0) : this.lengths;
    const grown = lengths.map((length) => this.#pagesFor(length + L) - this.#pagesFor(length));
    const written = L === 0 ? [] : this.#sequences.map((sequence) => this.#partial(sequence));
    const copies = [...new Set(written)].map((page) =>
      page === undefined ? 0 : Math.min(written.filter((other) => other === page).length, this.#pool.users(page) - 1),
    );
    return [...grown, ...copies].reduce((total, pages) => total + pages, 0);
  }

  /** The last page, when it still has room. */
  #partial({ pages, length }: Sequence): number | undefined {
    return length % this.pageSize > 0 ? pages.at(-1) : undefined;
  }

  #pagesFor(length: number): number {
    return Math.ceil(length / this.pageSize);
  }

  /** The sequence with L more positions: its last page to itself, and new pages. */
  #grown({ pages, length }: Sequence, L: number, memory: { readonly k: Tensor; readonly v: Tensor }): Sequence {
    const table = [...pages];
    const partial = L > 0 ? this.#partial({ pages, length }) : undefined;
    if (partial !== undefined && this.#pool.users(partial) > 1) table[table.length - 1] = this.#copied(partial, memory);
    while (table.length < this.#pagesFor(length + L)) table.push(this.#pool.take(table.at(-1)));
    return { pages: table, length: length + L };
  }

  /** A page of one's own with what a shared one holds. */
  #copied(page: number, memory: { readonly k: Tensor; readonly v: Tensor }): number {
    const fresh = this.#pool.take(undefined);
    const part = (x: Tensor, g: number, at: number): Tensor =>
      slice(slice(x, 0, g, g + 1), 1, at * this.pageSize, (at + 1) * this.pageSize);
    for (const x of [memory.k, memory.v])
      for (let g = 0; g < (x.shape[0] as number); g++) copyInto(part(x, g, fresh), part(x, g, page));
    this.#pool.release(page);
    return fresh;
  }

  /** The memory of positions from … length in as few pieces as there are. */
  #runs({ pages, length }: Sequence, from = 0): readonly Run[] {
    const runs: Run[] = [];
    for (let position = from; position < length; ) {
      const within = position % this.pageSize;
      const slot = (pages[Math.floor(position / this.pageSize)] as number) * this.pageSize + within;
      const count = Math.min(this.pageSize - within, length - position);
      const last = runs.at(-1);
      if (last && last.slot + last.count === slot) runs[runs.length - 1] = { ...last, count: last.count + count };
      else runs.push({ slot, position, count });
      position += count;
    }
    return runs;
  }

  /** All sequences [B, G, longest, D], zeros before those that are shorter. */
  #gathered(memory: Tensor, like: Tensor): Tensor {
    const [B, G, , D] = like.shape as [number, number, number, number];
    const longest = this.length;
    return scope(() => {
      const all = zeros([B, G, longest, D], { backend: like.backend });
      this.#sequences.forEach((sequence, b) => {
        for (const { slot, position, count } of this.#runs(sequence)) {
          const start = longest - sequence.length + position;
          const target = slice(slice(all, 0, b, b + 1), 2, start, start + count);
          copyInto(target, unsqueeze(slice(memory, 1, slot, slot + count), 0));
        }
      });
      return all;
    });
  }
}
