/**
 * Masks as plain data: which keys a query may attend to. `true` = may attend (PyTorch, ONNX).
 *
 * A window around the diagonal, key lengths and a boolean tensor cost the kernel nothing extra, also when `and` merges
 * them. Everything else is a predicate, which becomes a map of blocks. Next: maskAlgebra.ts (`or`, `not`), patternMasks.ts
 * and blockSparse.ts (the masks of papers), blockMap.ts.
 */

import { ShapeError } from '../core/errors.js';
import { sizeOf } from '../core/shape.js';
import { broadcastShape } from '../tensor/broadcast.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { expand } from '../tensor/views.js';
import { both, type Predicate } from './maskPredicate.js';

/**
 * Key j is allowed for query i when `i + offset - left <= j <= i + offset + right`, `j < lengths[b]`, `allowed` and
 * `predicate` all say so.
 */
export interface Mask {
  readonly left: number;
  readonly right: number;
  /** Valid keys per sequence [B]. */
  readonly lengths?: readonly number[] | undefined;
  /** u8 tensor broadcastable to [B, H, L, S]; 0 forbids. */
  readonly allowed?: Tensor | undefined;
  /** Whatever else there is to ask about a pair. */
  readonly predicate?: Predicate | undefined;
}

/** Forbids nothing. */
export const open: Mask = { left: Infinity, right: Infinity };

/** No key after the query's own position: `j <= i`, or `j <= i + past length` with a cache. */
export function causal(): Mask {
  return { ...open, right: 0 };
}

/** Keys at most `left` before and `right` after the query's position (Longformer, Beltagy et al. 2020, §3.1). */
export function slidingWindow({ left = Infinity, right = Infinity }: { left?: number; right?: number }): Mask {
  checkReach('slidingWindow', { left, right });
  return { left, right };
}

/** Throws unless every reach is a whole number >= 0 or Infinity. */
export function checkReach(caller: string, reach: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(reach)) {
    if (!(value >= 0) || (value !== Infinity && !Number.isInteger(value))) {
      throw new ShapeError(`${caller}: expected ${name} a whole number >= 0, got ${value}`);
    }
  }
}

/** Right padding: sequence b has `lengths[b]` valid keys. */
export function keyPadding(lengths: ArrayLike<number>): Mask {
  return { ...open, lengths: Array.from(lengths) };
}

/** An arbitrary boolean mask, broadcastable to [B, H, L, S]; true or 1 = may attend. */
export function booleanMask(allowed: Tensor): Mask {
  if (allowed.dtype !== 'u8') throw new ShapeError(`booleanMask: expected a u8 tensor, got ${allowed.dtype}`);
  return { ...open, allowed };
}

/** Allowed where every mask allows. */
export function and(...masks: readonly Mask[]): Mask {
  return masks.reduce(intersect, open);
}

function intersect(a: Mask, b: Mask): Mask {
  return {
    left: Math.min(a.left, b.left),
    right: Math.min(a.right, b.right),
    lengths: combine(a.lengths, b.lengths, shorter),
    allowed: combine(a.allowed, b.allowed, bothAllow),
    predicate: combine(a.predicate, b.predicate, both),
  };
}

function combine<T>(a: T | undefined, b: T | undefined, merge: (a: T, b: T) => T): T | undefined {
  return a !== undefined && b !== undefined ? merge(a, b) : (a ?? b);
}

function shorter(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length !== b.length)
    throw new ShapeError(`and: expected key lengths of one batch [${a.length}], got [${b.length}]`);
  return a.map((length, index) => Math.min(length, b[index] as number));
}

function bothAllow(a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShape('and', a.shape, b.shape);
  const [left, right] = [expand(a, shape).toArray(), expand(b, shape).toArray()];
  const values = new Uint8Array(sizeOf(shape)).map((_, index) => (left[index] !== 0 && right[index] !== 0 ? 1 : 0));
  return tensor(values, shape, { dtype: 'u8', backend: a.backend });
}
