/**
 * Keys and values of earlier positions, for decoding one or several tokens at a time. Grows by doubling; an append is
 * one copy of the new rows. Inference only: nothing is recorded for gradients.
 */

import { ShapeError, StateError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor, zeros } from '../tensor/create.js';
import { embedding } from '../tensor/indexing.js';
import { copyInto } from '../tensor/optimise.js';
import { keep, scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { reshape, slice } from '../tensor/views.js';

const firstCapacity = 16;

/** A growing cache of keys [B, G, length, D] and values [B, G, length, Dv]. */
export class KeyValueCache {
  #k: Tensor | undefined;
  #v: Tensor | undefined;
  #length = 0;

  /** Positions held. */
  get length(): number {
    return this.#length;
  }

  /** Appends k [B, G, L, D] and v [B, G, L, Dv]; returns views of everything held, new rows last. */
  append(k: Tensor, v: Tensor): { readonly k: Tensor; readonly v: Tensor } {
    const past = this.#length;
    const length = past + (k.shape[2] as number);
    this.#k = place(this.#k, k, past, length);
    this.#v = place(this.#v, v, past, length);
    this.#length = length;
    return this.held();
  }

  /** Views of everything held: k [B, G, length, D], v [B, G, length, Dv]. */
  held(): { readonly k: Tensor; readonly v: Tensor } {
    if (!this.#k || !this.#v)
      throw new StateError('held: expected a cache that holds keys, got an empty one; append first');
    return { k: slice(this.#k, 2, 0, this.#length), v: slice(this.#v, 2, 0, this.#length) };
  }

  /** Makes row b of the batch a copy of the old row `rows[b]`; the batch may shrink or grow (beam search). */
  reorder(rows: ArrayLike<number>): void {
    if (!this.#k || !this.#v)
      throw new StateError('reorder: expected a cache that holds keys, got an empty one; append first');
    this.#k = pickRows(this.#k, rows);
    this.#v = pickRows(this.#v, rows);
  }

  dispose(): void {
    this.#k?.dispose();
    this.#v?.dispose();
    this.#k = this.#v = undefined;
    this.#length = 0;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Copies `rows` into positions past … length of the storage, which is replaced when it is too short. */
function place(storage: Tensor | undefined, rows: Tensor, past: number, length: number): Tensor {
  const [B, G, , D] = rows.shape as [number, number, number, number];
  const fits = storage?.shape.every((size, axis) => axis === 2 || size === rows.shape[axis]) ?? true;
  if (!fits)
    throw new ShapeError(
      `append: expected keys and values like ${formatShape(storage?.shape ?? [])}, got ${formatShape(rows.shape)}`,
    );
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

function pickRows(storage: Tensor, rows: ArrayLike<number>): Tensor {
  const [B, G, capacity, D] = storage.shape as [number, number, number, number];
  const picked = scope(() => {
    const ids = tensor(rows, [rows.length], { dtype: 'i32', backend: storage.backend });
    return reshape(embedding(reshape(storage, [B, G * capacity * D]), ids), [rows.length, G, capacity, D]);
  });
  storage.dispose();
  return keep(picked);
}
