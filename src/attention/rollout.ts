/**
 * Attention rollout: where one output position of a stack of self-attention layers gets its information from, by
 * following the weights down to the input. Next: transposed.ts, which does one layer.
 */

import { ShapeError } from '../core/errors.js';
import { tensor } from '../tensor/create.js';
import { add, affine } from '../tensor/elementwise.js';
import { noGrad } from '../tensor/recording.js';
import { mean } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { reshape } from '../tensor/views.js';
import { type PeekSource, peek } from './peek.js';
import { applyTransposedWeights } from './transposed.js';

/**
 * `rᵀ ← ½·rᵀP̄ + ½·rᵀ` from the last layer to the first, where P̄ is the mean of the heads' weights, the half is the
 * residual connection, and r starts as 1 at `position`.
 *
 * Shapes: `layers` in the order in which they run, each with S = L → [B, L]: the share of each input position. A row
 * sums to 1 where no query is fully masked. Memory: O(L), never L×L. Work: one row of the last layer, and the scores of
 * every allowed pair of every head in each layer below it. No gradient.
 * Errors: ShapeError for no layer, one with S ≠ L, layers that differ in B or L, or a position outside [0, L).
 * Source: Abnar and Zuidema 2020, §3 (their rollout, one row of it).
 *
 * @example
 * const shares = rollout(layers, L - 1); // what the last position is made of
 */
export function rollout(layers: readonly PeekSource[], position: number): Tensor {
  const [B, L] = sizesOf(layers);
  if (!Number.isInteger(position) || position < 0 || position >= L)
    throw new ShapeError(`rollout: expected a position in [0, ${L}), got ${position}`, { position });
  return noGrad(() =>
    scope(() => {
      const last = layers.at(-1) as PeekSource;
      return layers.slice(0, -1).reduceRight(through, oneRow(last, position, [B, L]));
    }),
  );
}

/** The last layer: r is 1 at one position, so one row of its weights is all that counts. O(H·S·D) instead of O(H·L·S·D). */
function oneRow(layer: PeekSource, position: number, [B, L]: readonly [B: number, L: number]): Tensor {
  const start = Float32Array.from({ length: B * L }, (_, at) => Number(at % L === position));
  const weights = mean(peek(layer, { rows: [position] }), 1); // [B, 1, S]
  return halved(reshape(weights, [B, L]), tensor(start, [B, L], { backend: layer.q.backend }));
}

/** One layer further down: r [B, L] → [B, L]. */
function through(r: Tensor, layer: PeekSource): Tensor {
  const [B, L] = r.shape as [number, number];
  return scope(() => {
    const heads = applyTransposedWeights(layer, reshape(r, [B, 1, L, 1])); // [B, H, L, 1]
    return halved(reshape(mean(heads, 1), [B, L]), r);
  });
}

function halved(attended: Tensor, kept: Tensor): Tensor {
  return affine(add(attended, kept), 0.5, 0);
}

function sizesOf(layers: readonly PeekSource[]): readonly [B: number, L: number] {
  const first = layers[0];
  if (first === undefined) throw new ShapeError('rollout: expected at least one layer, got an empty list');
  const [B, , L] = first.q.shape as [number, number, number];
  layers.forEach(({ q, k }, at) => {
    const got = [q.shape[0], q.shape[2], k.shape[2]];
    if (got.join() === [B, L, L].join()) return;
    throw new ShapeError(
      `rollout: expected [B, L, S] = [${B}, ${L}, ${L}] in every layer, got [${got.join(', ')}] in layer ${at}; self-attention only`,
    );
  });
  return [B, L];
}
