/**
 * The rolling cache: the first few positions, which attract attention whatever they hold, and a window of the last ones.
 * Memory stays the same however long the text grows. Next: cache.ts, which forgets nothing.
 */

import { ShapeError } from '../core/errors.js';
import { tensor, zeros } from '../tensor/create.js';
import { copyInto } from '../tensor/optimise.js';
import { keep } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { slice } from '../tensor/views.js';
import { AttentionCache, checkLikeHeld, type Held } from './attentionCache.js';
import { booleanMask, type Mask } from './mask.js';

export interface RollingCacheOptions {
  /** Positions that a query sees, itself included. */
  readonly window: number;
  /** First positions that stay visible for good. Default 4. */
  readonly sinks?: number;
}

interface Storage {
  /** [B, G, capacity, D] and [B, G, capacity, Dv] */
  readonly k: Tensor;
  readonly v: Tensor;
  /** Copies of the first rows, once there are enough of them. */
  readonly sinks: { readonly k: Tensor; readonly v: Tensor };
}

/**
 * A query at position p sees the keys j <= p with `j > p - window` or `j < sinks`; with a causal mask, for one or several
 * new tokens. Between sinks and window the positions are left out, so a bias by distance counts places in the cache.
 *
 * Memory: O(2·window + sinks). An append copies the new rows and the sinks; every `window` steps, the window.
 * Errors: ShapeError for a window below 1 or keys unlike those held. Source: Xiao et al. 2023 (StreamingLLM), §3.2.
 *
 * @example
 * using cache = new RollingCache({ window: 256, sinks: 4 });
 * const { out } = attention(q, k, v, { mask: causal(), cache });
 */
export class RollingCache extends AttentionCache {
  readonly window: number;
  readonly sinks: number;
  #storage: Storage | undefined;
  #length = 0;
  /** Slots in use: sinks first, then the window, oldest first. */
  #start = 0;
  #end = 0;

  constructor({ window, sinks = 4 }: RollingCacheOptions) {
    super();
    for (const [name, value, least] of [
      ['window', window, 1],
      ['sinks', sinks, 0],
    ] as const)
      if (!Number.isInteger(value) || value < least)
        throw new ShapeError(`RollingCache: expected ${name} a whole number >= ${least}, got ${value}`);
    this.window = window;
    this.sinks = sinks;
  }

  /** Positions of the text so far, forgotten ones included. */
  get length(): number {
    return this.#length;
  }

  get lengths(): readonly number[] {
    return new Array<number>(this.#storage?.k.shape[0] ?? 0).fill(this.#length);
  }

  /** Positions still held. */
  get heldLength(): number {
    return this.#end - this.#start;
  }

  append(k: Tensor, v: Tensor): Held {
    checkLikeHeld(k, v, this.#storage);
    const L = k.shape[2] as number;
    this.#forget();
    this.#storage = this.#withRoom(k, v);
    copyInto(slice(this.#storage.k, 2, this.#end, this.#end + L), k);
    copyInto(slice(this.#storage.v, 2, this.#end, this.#end + L), v);
    this.#end += L;
    this.#length += L;
    const mask = this.#mask(L, k);
    const shown = (x: Tensor): Tensor => slice(x, 2, this.#start, this.#end);
    return { k: shown(this.#storage.k), v: shown(this.#storage.v), ...(mask && { mask }) };
  }

  dispose(): void {
    const { k, v, sinks } = this.#storage ?? {};
    for (const x of [k, v, sinks?.k, sinks?.v]) x?.dispose();
    this.#storage = undefined;
    this.#length = this.#start = this.#end = 0;
  }

  /** Drops what no later query sees; the sinks move up to the window, over the oldest of what is dropped. */
  #forget(): void {
    const excess = this.heldLength - (this.sinks + this.window - 1);
    if (excess <= 0 || !this.#storage) return;
    const { k, v, sinks } = this.#storage;
    for (const [x, first] of [
      [k, sinks.k],
      [v, sinks.v],
    ] as const) {
      if (this.#length === this.heldLength) copyInto(first, slice(x, 2, this.#start, this.#start + this.sinks)); // for the first time
      copyInto(slice(x, 2, this.#start + excess, this.#start + excess + this.sinks), first);
    }
    this.#start += excess;
  }

  /** The storage, or a new one with what is held at its beginning when L more rows do not fit. */
  #withRoom(k: Tensor, v: Tensor): Storage {
    const L = k.shape[2] as number;
    const old = this.#storage;
    if (old && this.#end + L <= (old.k.shape[2] as number)) return old;
    const [start, held] = [this.#start, this.heldLength];
    const capacity = Math.max(held + L, this.sinks + this.window) + this.window;
    const fresh = (rows: Tensor, from: Tensor | undefined): Tensor => {
      const larger = empty(rows, capacity);
      if (from) copyInto(slice(larger, 2, 0, held), slice(from, 2, start, start + held));
      from?.dispose();
      return larger;
    };
    const sinks = old?.sinks ?? { k: empty(k, this.sinks), v: empty(v, this.sinks) };
    const storage = { k: fresh(k, old?.k), v: fresh(v, old?.v), sinks };
    [this.#start, this.#end] = [0, held];
    return storage;
  }

  /** For several new tokens: which of the keys held each of them sees. Undefined when it is all of them. */
  #mask(L: number, like: Tensor): Mask | undefined {
    const S = this.heldLength;
    if (S <= this.sinks + this.window) return undefined;
    const allowed = Uint8Array.from({ length: L * S }, (_, at) => {
      const [key, query] = [at % S, S - L + Math.floor(at / S)];
      return Number(key < this.sinks || key > query - this.window);
    });
    return booleanMask(tensor(allowed, [L, S], { dtype: 'u8', backend: like.backend }));
  }
}

/** Zeros [B, G, slots, D], outside of all scopes. */
function empty(like: Tensor, slots: number): Tensor {
  const [B, G, , D] = like.shape as [number, number, number, number];
  return keep(zeros([B, G, slots, D], { backend: like.backend }));
}
