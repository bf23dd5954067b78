/**
 * The pattern seen from the keys: the transposed weights times anything, recomputed from q, k and lse. No L×S buffer.
 * Next: rollout.ts, which chains it through layers; peek.ts shows the weights themselves.
 */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { full } from '../tensor/create.js';
import { matmul } from '../tensor/linearAlgebra.js';
import { noGrad } from '../tensor/recording.js';
import { scope } from '../tensor/scope.js';
import { allocate, type Tensor } from '../tensor/tensor.js';
import { expand, select, transpose } from '../tensor/views.js';
import { computeAttentionWeights } from './explicit.js';
import { attentionSizes, maskOperands, scoreScalars } from './operands.js';
import type { PeekSource } from './peek.js';
import { biasOperands, spreadRelative } from './relativeBias.js';
import { scoreOperands } from './scoreMod/program.js';

/**
 * `out_jc = Σ_i p_ij·r_ic`, with the weights `p_ij = exp(s_ij - lse_i)` before dropout; forbidden pairs count 0.
 *
 * Shapes: r broadcastable to [B, H, L, C] → [B, H, S, C]. Memory: O(L + S) per head and column, never L×S, but with a
 * normaliser.
 * Numerics: error ≤ 1e-6·Σ_i p_ij·|r_ic| + 1e-7 on N(0,1) inputs; the same bits for any thread count. No gradient.
 * Errors: ShapeError for sizes that do not fit.
 *
 * @example
 * const { lse } = attention(q, k, v, { mask });
 * const received = applyTransposedWeights({ q, k, lse, mask }, ones); // r = 1: column sums
 */
export function applyTransposedWeights(source: PeekSource, r: Tensor): Tensor {
  const sizes = attentionSizes('applyTransposedWeights', source.q, source.k);
  const { B, H, L, S } = sizes;
  const { q, k, lse } = source;
  const C = r.shape.at(-1) ?? 1;
  requireBroadcast(r, [B, H, L, C]);
  return noGrad(() =>
    scope(() => {
      if (source.normaliser) return matmul(transpose(computeAttentionWeights(q, k, source)), expand(r, [B, H, L, C]));
      const { scale, offset } = scoreScalars(sizes, source);
      const terms = biasOperands('applyTransposedWeights', { sizes, q, scale, offset }, source.bias);
      const masks = maskOperands('applyTransposedWeights', sizes, q, { ...source, bias: terms.bias });
      const relative = spreadRelative(terms.relative, sizes);
      const out = allocate(q.backend, 'f32', [B, H, S, C]);
      const scalars = scoreScalars(sizes, source, terms.reach);
      const program = scoreOperands(source.scoreMod, sizes, scalars.offset, q);
      const operands = { out, r: expand(r, [B, H, L, C]), q, k, lse, ...masks, ...program, relative };
      q.backend.run('attention_transposed_f32', operands, scalars);
      return out; // [B, H, S, C]
    }),
  );
}

/**
 * How much attention each key receives: `Σ_i p_ij`, the column sums of the weights. A key near 0 is read by nobody; one
 * near the number of queries is a sink.
 *
 * Shapes: → [B, H, S]. Memory and numerics as `applyTransposedWeights`.
 */
export function attentionReceived(source: PeekSource): Tensor {
  return scope(() => select(applyTransposedWeights(source, full([1, 1], 1, { backend: source.q.backend })), 3, 0));
}

function requireBroadcast(r: Tensor, shape: readonly number[]): void {
  const skip = shape.length - r.shape.length;
  if (skip >= 0 && r.shape.every((size, axis) => size === 1 || size === shape[axis + skip])) return;
  throw new ShapeError(
    `applyTransposedWeights: expected r broadcastable to [B, H, L, C] = ${formatShape(shape)}, got ${formatShape(r.shape)}`,
    { shape: r.shape },
  );
}
