/** Attention over keys in several parts, put together exactly: each part's `lse` says how much it counts. */

import { ShapeError } from '../core/errors.js';
import { tensor } from '../tensor/create.js';
import { add, multiply, subtract, where } from '../tensor/elementwise.js';
import { concat } from '../tensor/join.js';
import { logSoftmax, softmax } from '../tensor/normalise.js';
import { max } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { slice, unsqueeze } from '../tensor/views.js';

/** What attention over some of the keys gave. */
export interface PartialAttention {
  /** [B, H, L, Dv] */
  readonly out: Tensor;
  /** [B, H, L] */
  readonly lse: Tensor;
}

/**
 * `out = Σ_r e^{lse_r - lse}·out_r`, `lse = ln Σ_r e^{lse_r}`: the result over all keys from the results over parts of
 * them. A part in which a row has no key counts nothing.
 *
 * Source: Milakov and Gimelshein 2018; used so by Dao et al. 2023 (Flash-Decoding).
 */
export function mergeParts(parts: readonly PartialAttention[]): PartialAttention {
  const [first] = parts;
  if (first === undefined) throw new ShapeError('mergeParts: expected at least one part, got none');
  if (parts.length === 1) return first;
  return scope(() => {
    const lses = concat(
      parts.map(({ lse }) => unsqueeze(lse, 3)),
      3,
    ); // [B, H, L, R]
    const shares = softmax(lses);
    const out = parts.map((part, at) => multiply(part.out, slice(shares, 3, at, at + 1)));
    return { out: out.reduce((total, part) => add(total, part)), lse: logSumExp(lses) };
  });
}

/** `ln Σ_j e^{x_j}` over the last axis; -Infinity for a row of -Infinity. */
export function logSumExp(x: Tensor): Tensor {
  return scope(() => {
    const largest = max(x, -1);
    const empty = Array.from(largest.toArray(), (value) => (value === -Infinity ? 1 : 0));
    const isEmpty = tensor(Uint8Array.from(empty), largest.shape, { dtype: 'u8', backend: x.backend });
    return where(isEmpty, -Infinity, subtract(largest, max(logSoftmax(x), -1)));
  });
}
