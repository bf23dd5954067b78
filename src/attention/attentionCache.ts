/**
 * What a cache of keys and values is to the attention call: something that takes new ones and shows all that can be
 * attended to. Inference only: nothing is recorded for gradients. Next: cache.ts (growing), rollingCache.ts (a window),
 * pagedCache.ts (pages of a common memory).
 */

import { ShapeError, StateError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { booleanMask, type Mask } from './mask.js';

/** Everything that a query may look at; valid until the next append. */
export interface Held {
  /** [B, G, S, D], new rows last. */
  readonly k: Tensor;
  /** [B, G, S, Dv] */
  readonly v: Tensor;
  /** Which of these keys count, where not all of them do; part of the call's mask. */
  readonly mask?: Mask | undefined;
}

/** Keys of one sequence that lie in one piece of memory. */
export interface HeldPart {
  /** Row of the batch. */
  readonly row: number;
  /** [1, G, n, D] and [1, G, n, Dv] */
  readonly k: Tensor;
  readonly v: Tensor;
  /** Position of the first new query, counted from the first key of this part. */
  readonly offset: number;
}

/** The keys and values of earlier positions. */
export abstract class AttentionCache {
  #owner: object | undefined;

  /** Positions so far, of the longest sequence: where the next token stands. */
  abstract get length(): number;

  /** Positions so far of every sequence [B]. */
  abstract get lengths(): readonly number[];

  /** Takes k [B, G, L, D] and v [B, G, L, Dv]; shows what may be attended to, these included. */
  abstract append(k: Tensor, v: Tensor): Held;

  /** The same in parts, for a cache whose memory is not in one piece. */
  appendInParts?(k: Tensor, v: Tensor): readonly HeldPart[];

  abstract dispose(): void;

  /**
   * Says who uses this cache: one layer for good.
   *
   * Errors: StateError when another one filled it.
   */
  claim(owner: object): void {
    if (this.length > 0 && this.#owner !== undefined && this.#owner !== owner)
      throw new StateError(
        'cache: expected the layer that filled it, got another one; make one cache a layer and model, or dispose it first',
      );
    this.#owner = owner;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Refuses keys and values that are not like what `k`, `v` (if any yet) hold: [B, G, *, D] and [B, G, *, Dv]. */
export function checkLikeHeld(
  k: Tensor,
  v: Tensor,
  held: { readonly k: Tensor; readonly v: Tensor } | undefined,
  batch?: number,
): void {
  for (const [label, rows, storage] of [
    ['k', k, held?.k],
    ['v', v, held?.v],
  ] as const) {
    const wanted = storage?.shape.map((size, axis) => (axis === 0 ? (batch ?? size) : axis === 2 ? '*' : size));
    if (!wanted || wanted.every((size, axis) => size === '*' || size === rows.shape[axis])) continue;
    throw new ShapeError(
      `append: expected ${label} [${wanted.join(', ')}] as this cache holds, got ${formatShape(rows.shape)}; was it filled by another model?`,
    );
  }
}

/** Sequences that end together: those that are shorter start later. Undefined when all start at 0. */
export function startMask(starts: readonly number[], S: number, like: Tensor): Mask | undefined {
  if (starts.every((start) => start === 0)) return undefined;
  const allowed = Uint8Array.from({ length: starts.length * S }, (_, at) =>
    Number(at % S >= (starts[Math.floor(at / S)] as number)),
  );
  return booleanMask(tensor(allowed, [starts.length, 1, 1, S], { dtype: 'u8', backend: like.backend }));
}

/** Checks new lengths [B] against the present ones. */
export function checkLengths(name: string, lengths: readonly number[], present: readonly number[]): void {
  const fits =
    lengths.length === present.length &&
    lengths.every((length, b) => Number.isInteger(length) && length >= 0 && length <= (present[b] as number));
  if (!fits)
    throw new ShapeError(
      `${name}: expected lengths [B] of at most [${present.join(', ')}], got [${lengths.join(', ')}]; a cache can only forget`,
    );
}
