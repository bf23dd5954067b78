/** ALiBi: a penalty that grows with the distance, one slope a head. No parameters, and no limit to the length. */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor } from '../tensor/create.js';
import { multiply } from '../tensor/elementwise.js';
import { Tensor } from '../tensor/tensor.js';
import { reshape } from '../tensor/views.js';
import type { BiasCall, RelativeBias, RelativeTerms } from './relativeBias.js';

/**
 * `score_ij -= slope_h · |i - j|`; with `causal()` this is the paper's form.
 *
 * Shapes: slopes [H], a tensor when they are to be learned. Memory: O(H·(L + S)), never L×S. Errors: ShapeError for a
 * number of slopes that is not H.
 * Source: Press, Smith and Lewis 2022 (Train Short, Test Long), §3; the symmetric form for encoders is theirs, too.
 *
 * @example
 * const { out } = attention(q, k, v, { mask: causal(), bias: alibi(alibiSlopes(8)) });
 */
export function alibi(slopes: Tensor | readonly number[]): RelativeBias {
  return { terms: (call) => alibiTerms(slopes, call) };
}

function alibiTerms(slopes: Tensor | readonly number[], { sizes: { H, L, S }, q, offset }: BiasCall): RelativeTerms {
  const given = slopes instanceof Tensor ? slopes : tensor(slopes, [slopes.length], { backend: q.backend });
  if (given.shape.join() !== `${H}`)
    throw new ShapeError(`alibi: expected slopes [H] = [${H}], got ${formatShape(given.shape)}`);
  const { reach, columns } = distancesOf(L, S, offset);
  const penalties = Float32Array.from({ length: columns }, (_, r) => -Math.abs(r - reach));
  const table = multiply(reshape(given, [1, H, 1, 1]), tensor(penalties, [1, 1, 1, columns], { backend: q.backend }));
  return { table, reach }; // [1, H, 1, R]
}

/** Columns for every distance that occurs, and which of them is distance 0; `most` limits how far they go. */
export function distancesOf(
  L: number,
  S: number,
  offset: number,
  most = Infinity,
): { readonly reach: number; readonly columns: number } {
  const back = Math.min(most, Math.max(0, L - 1 + offset));
  const ahead = Math.min(most, Math.max(0, S - 1 - offset));
  return { reach: back, columns: back + ahead + 1 };
}

/**
 * The slopes of the paper: `2^(-8/H), 2^(-16/H), …` for a power of two; for other H those of the power below, then every
 * other slope of the power above (the authors' code).
 */
export function alibiSlopes(heads: number): readonly number[] {
  if (!Number.isSafeInteger(heads) || heads < 1)
    throw new ShapeError(`alibiSlopes: expected a whole number of heads >= 1, got ${heads}`);
  const power = 2 ** Math.floor(Math.log2(heads));
  const rest = power === heads ? [] : slopesOf(2 * power).filter((_, n) => n % 2 === 0);
  return [...slopesOf(power), ...rest].slice(0, heads);
}

function slopesOf(heads: number): readonly number[] {
  return Array.from({ length: heads }, (_, h) => 2 ** ((-8 * (h + 1)) / heads));
}
