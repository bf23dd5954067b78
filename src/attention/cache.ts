/**
 * The growing cache: every key and value of every earlier position, for decoding one or several tokens at a time. Grows
 * by doubling; an append is one copy of the new rows. Next: rollingCache.ts, which forgets.
 */

import { StateError } from '../core/errors.js';
import { tensor, zeros } from '../tensor/create.js';
import { embedding } from '../tensor/indexing.js';
import { copyInto } from '../tensor/optimise.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { reshape, slice } from '../tensor/views.js';
import { AttentionCache, checkLengths, checkLikeHeld, type Held, startMask } from './attentionCache.js';

const firstCapacity = 16;

interface Storage {
  /** [B, G, capacity, D] and [B, G, capacity, Dv] */
  readonly k: Tensor;
  readonly v: Tensor;
}

/**
 * A growing cache of keys [B, G, length, D] and values [B, G, length, Dv].
 *
 * Sequences of a batch may differ in length: put the prompts in with padding on the right and a causal mask, then
 * `truncate` to what is real. All sequences end together from then on, so distances and the causal mask stay right.
 */
export class KeyValueCache extends AttentionCache {
  #storage: Storage | undefined;
  #length = 0;
  /** First slot of every sequence [B]. */
  #starts: readonly number[] = [];

  /** Positions held, of the longest sequence. */
  get length(): number {
    return this.#length;
  }

  /** Positions held by every sequence [B]. */
  get lengths(): readonly number[] {
    return this.#starts.map((start) => this.#length - start);
  }

  /** Appends k [B, G, L, D] and v [B, G, L, Dv]; returns views of everything held, new rows last. */
  append(k: Tensor, v: Tensor): Held {
    checkLikeHeld(k, v, this.#storage);
    if (this.#storage === undefined) this.#starts = new Array<number>(k.shape[0] as number).fill(0);
    const past = this.#length;
    const length = past + (k.shape[2] as number);
    this.#storage = { k: place(this.#storage?.k, k, past, length), v: place(this.#storage?.v, v, past, length) };
    this.#length = length;
    return this.held();
  }

  /** Views of everything held: k [B, G, length, D], v [B, G, length, Dv]; a mask where sequences differ in length. */
  held(): Held {
    const { k, v } = this.#filled('held');
    const mask = startMask(this.#starts, this.#length, k);
    return { k: slice(k, 2, 0, this.#length), v: slice(v, 2, 0, this.#length), ...(mask && { mask }) };
  }

  /** Makes row b of the batch a copy of the old row `rows[b]`; the batch may shrink or grow (beam search). */
  reorder(rows: ArrayLike<number>): void {
    const { k, v } = this.#filled('reorder');
    this.#storage = { k: pickRows(k, rows), v: pickRows(v, rows) };
    this.#starts = Array.from(rows, (row) => this.#starts[row] as number);
  }

  /**
   * Forgets the last positions: sequence b keeps its first `lengths[b]`. For padding on the right of prompts, and for
   * tokens that were tried and refused.
   *
   * Errors: ShapeError for lengths beyond what is held.
   */
  truncate(lengths: readonly number[]): void {
    const { k, v } = this.#filled('truncate');
    checkLengths('truncate', lengths, this.lengths);
    const longest = Math.max(...lengths);
    const [from, to] = [this.#starts, lengths.map((length) => longest - length)];
    if (from.some((start, b) => start !== to[b])) {
      const move = (x: Tensor): Tensor => moved(x, lengths, from, to);
      this.#storage = { k: move(k), v: move(v) };
    }
    this.#starts = to;
    this.#length = longest;
  }

  dispose(): void {
    this.#storage?.k.dispose();
    this.#storage?.v.dispose();
    this.#storage = undefined;
    this.#length = 0;
  }

  #filled(name: string): Storage {
    if (this.#storage) return this.#storage;
    throw new StateError(`${name}: expected a cache that holds keys, got an empty one; append first`);
  }
}

/** Copies `rows` into positions past … length of the storage, which is replaced when it is too short. */
function place(storage: Tensor | undefined, rows: Tensor, past: number, length: number): Tensor {
  const [B, G, , D] = rows.shape as [number, number, number, number];
  const target =
    storage && length <= (storage.shape[2] as number) ? storage : grown(storage, [B, G, capacityFor(length), D], rows);
  copyInto(slice(target, 2, past, length), rows);
  return target;
}

function capacityFor(length: number): number {
  return Math.max(firstCapacity, 2 ** Math.ceil(Math.log2(length)));
}

function grown(old: Tensor | undefined, shape: readonly number[], like: Tensor): Tensor {
  const larger = keep(zeros(shape, { backend: like.backend }));
  if (old) {
    copyInto(slice(larger, 2, 0, old.shape[2] as number), old);
    old.dispose();
  }
  return larger;
}

/** A storage of the same size in which sequence b's first `lengths[b]` rows begin at slot `to[b]` instead of `from[b]`. */
function moved(old: Tensor, lengths: readonly number[], from: readonly number[], to: readonly number[]): Tensor {
  const fresh = keep(zeros(old.shape, { backend: old.backend }));
  lengths.forEach((length, b) => {
    const rows = (x: Tensor, start: number | undefined): Tensor =>
      slice(slice(x, 0, b, b + 1), 2, start ?? 0, (start ?? 0) + length);
    copyInto(rows(fresh, to[b]), rows(old, from[b]));
  });
  old.dispose();
  return fresh;
}

function pickRows(storage: Tensor, rows: ArrayLike<number>): Tensor {
  const [B, G, capacity, D] = storage.shape as [number, number, number, number];
  const picked = scope(() => {
    const ids = tensor(rows, [rows.length], { dtype: 'i32', backend: storage.backend });
    return reshape(embedding(reshape(storage, [B, G * capacity * D]), ids), [rows.length, G, capacity, D]);
  });
  storage.dispose();
  return keep(picked);
}
