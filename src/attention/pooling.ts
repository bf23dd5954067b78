/**
 * One vector for a whole sequence: a single distribution over its positions, or the mean, maximum or last position. What
 * came before self-attention, and the baseline to compare it with. The layers with parameters are
 * nn/wordAttention.ts. Next: attention.ts, which does the weighing here too.
 */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor, zeros } from '../tensor/create.js';
import { where } from '../tensor/elementwise.js';
import { embedding } from '../tensor/indexing.js';
import { max } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { expand, reshape, unsqueeze } from '../tensor/views.js';
import { attention } from './attention.js';
import { keyPadding } from './mask.js';
import type { RecordOptions } from './options.js';
import type { Recording } from './recording.js';

/** Valid positions of every sequence [B], the rest being padding on the right. Default: all are valid. */
export type Lengths = readonly number[] | undefined;

export interface WeighOptions {
  readonly lengths?: Lengths;
  /** As in `attention`; the record has one head and one query. */
  readonly record?: RecordOptions | undefined;
}

export interface WeighedSequence {
  /** [B, E] */
  readonly out: Tensor;
  /** Logarithm of the softmax denominator [B]. */
  readonly lse: Tensor;
  readonly record?: Recording | undefined;
}

/**
 * One distribution for the whole sequence: `out = Σ_j p_j·x_j`, `p = softmax_j(query·key_j)`, without a scale.
 *
 * Shapes: query [B, D], keys [B, S, D], x [B, S, E] → out [B, E]. An empty sequence gives zeros; padding never matters.
 * Errors: ShapeError for sizes or lengths that do not fit.
 *
 * @example
 * const { out, record } = weighSequence(query, x, x, { lengths: [5, 3], record: { rows: 'all' } });
 */
export function weighSequence(query: Tensor, keys: Tensor, x: Tensor, options: WeighOptions = {}): WeighedSequence {
  checkSequence('weighSequence', x, options.lengths);
  if (query.shape.length !== 2 || keys.shape.length !== 3)
    throw new ShapeError(
      `weighSequence: expected query [B, D] and keys [B, S, D], got ${formatShape(query.shape)} and ${formatShape(keys.shape)}`,
    );
  const [B, D] = query.shape as [number, number];
  return scope(() => {
    const { out, lse, record } = attention(reshape(query, [B, 1, 1, D]), unsqueeze(keys, 1), unsqueeze(x, 1), {
      scale: 1,
      mask: options.lengths && keyPadding(options.lengths),
      record: options.record,
    });
    return { out: reshape(out, [B, x.shape[2] as number]), lse: reshape(lse, [B]), record };
  });
}

/**
 * Mean of the valid positions, which is `weighSequence` with equal weights.
 *
 * Shapes: x [B, L, E] → out [B, E]; zeros for an empty sequence.
 */
export function meanPool(x: Tensor, options: WeighOptions = {}): WeighedSequence {
  const [B, L] = checkSequence('meanPool', x, options.lengths);
  return scope(() => {
    const zero = zeros([1, 1, 1], { backend: x.backend });
    return weighSequence(expand(reshape(zero, [1, 1]), [B, 1]), expand(zero, [B, L, 1]), x, options);
  });
}

/**
 * Largest value of every feature over the valid positions.
 *
 * Shapes: x [B, L, E] → [B, E]; zeros for an empty sequence. Equal values share the gradient evenly.
 */
export function maxPool(x: Tensor, lengths?: Lengths): Tensor {
  const [B, L] = checkSequence('maxPool', x, lengths);
  if (L === 0) return zeros([B, x.shape[2] as number], { backend: x.backend });
  if (lengths === undefined) return max(x, 1);
  return scope(() => {
    const valid = flags(
      lengths.flatMap((length) => Array.from({ length: L }, (_, i) => i < length)),
      [B, L, 1],
      x,
    );
    return where(filled(lengths, x), max(where(valid, x, -Infinity), 1), 0);
  });
}

/**
 * The last valid position, as a recurrent network's final state.
 *
 * Shapes: x [B, L, E] → [B, E]; zeros for an empty sequence.
 */
export function lastPool(x: Tensor, lengths?: Lengths): Tensor {
  const [B, L, E] = checkSequence('lastPool', x, lengths);
  if (L === 0) return zeros([B, E], { backend: x.backend });
  const counts = lengths ?? new Array<number>(B).fill(L);
  return scope(() => {
    const rows = counts.map((length, b) => b * L + Math.max(length, 1) - 1);
    const ids = tensor(rows, [B], { dtype: 'i32', backend: x.backend });
    return where(filled(counts, x), embedding(reshape(x, [B * L, E]), ids), 0);
  });
}

/** 1 for sequences with at least one position: u8 [B, 1]. */
function filled(lengths: readonly number[], like: Tensor): Tensor {
  return flags(
    lengths.map((length) => length > 0),
    [lengths.length, 1],
    like,
  );
}

function flags(facts: readonly boolean[], shape: readonly number[], like: Tensor): Tensor {
  return tensor(Uint8Array.from(facts, Number), shape, { dtype: 'u8', backend: like.backend });
}

/** Letters B, L, E of a sequence whose lengths fit. */
function checkSequence(name: string, x: Tensor, lengths: Lengths): readonly [B: number, L: number, E: number] {
  if (x.shape.length !== 3)
    throw new ShapeError(`${name}: expected x of rank 3 [B, L, E], got ${formatShape(x.shape)}`);
  const [B, L, E] = x.shape as [number, number, number];
  if (lengths && lengths.length !== B)
    throw new ShapeError(`${name}: expected lengths [B] = [${B}], got [${lengths.length}]`);
  const wrong = lengths?.find((length) => !Number.isInteger(length) || length < 0 || length > L);
  if (wrong !== undefined) throw new ShapeError(`${name}: expected lengths in [0, L] = [0, ${L}], got ${wrong}`);
  return [B, L, E];
}
