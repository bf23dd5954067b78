/**
 * Gradient × attention: which inputs one output depends on, weights and gradients taken together. Plain weights alone:
 * rollout.ts.
 */

import { ShapeError } from '../core/errors.js';
import { ones } from '../tensor/create.js';
import { add, multiply } from '../tensor/elementwise.js';
import { noGrad } from '../tensor/recording.js';
import { mean, sum } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { expand, reshape } from '../tensor/views.js';
import type { PeekSource } from './peek.js';
import { applyTransposedWeights } from './transposed.js';

/** One attention call, and the gradient of the explained output with respect to its result. */
export interface RelevanceSource extends PeekSource {
  /** [B, G, S, Dv] */
  readonly v: Tensor;
  /** [B, H, L, Dv] */
  readonly dout: Tensor;
}

/**
 * `Σ_i r_i · mean_h(p_ij · ∂y/∂p_ij)` for every key j, where `∂y/∂p_ij = dout_i · v_j`: with r = 1 everywhere, the first
 * order change of the output y when the weights on key j are taken away.
 *
 * It is computed as `v_j · (Pᵀ(r ⊙ dout))_j`, so neither weights nor their gradients are built. Signed: a key may speak
 * against the output.
 *
 * Shapes: r [B, L] → [B, S]. Memory: O(B·H·(L + S)·Dv). No gradient.
 * Errors: ShapeError when dout or v do not fit.
 * Source: gradient ⊙ weight as in Chefer et al. 2021, eq. 5, without the positive part, which would need the weights.
 *
 * @example
 * const shares = attentionRelevance({ q, k, v, lse, mask, dout }); // [B, S]
 */
export function attentionRelevance(source: RelevanceSource, r?: Tensor): Tensor {
  const { q, v, dout } = source;
  const [B, H, L] = q.shape as [number, number, number, number];
  const [, G, S, Dv] = v.shape as [number, number, number, number];
  if (dout.shape.join() !== [B, H, L, Dv].join())
    throw new ShapeError(
      `attentionRelevance: expected dout [B, H, L, Dv] = [${B}, ${H}, ${L}, ${Dv}], got [${dout.shape.join(', ')}]`,
    );
  return noGrad(() =>
    scope(() => {
      const weights = reshape(r ?? ones([B, L], { backend: q.backend }), [B, 1, L, 1]);
      const moved = applyTransposedWeights(source, multiply(dout, weights)); // [B, H, S, Dv]
      const values = expand(reshape(v, [B, G, 1, S, Dv]), [B, G, H / G, S, Dv]);
      const products = multiply(reshape(moved, [B, G, H / G, S, Dv]), values);
      return mean(reshape(sum(products, 4), [B, H, S]), 1); // [B, S]
    }),
  );
}

/**
 * `r ← r + relevance(layer, r)` from the last layer to the first, where the sum keeps what the residual connection passes
 * on. The result says how much each input position counts for what `start` weighs; it is signed and sums to no fixed value.
 *
 * Shapes: `layers` in the order in which they run, each with S = L; start [B, L], such as 1 at the explained position and
 * 0 elsewhere → [B, L]. Memory: that of one `attentionRelevance`, no L×L. No gradient.
 * Errors: ShapeError as `attentionRelevance`.
 * Source: Chefer et al. 2021, eq. 6, one row of it, with eq. 5 as in `attentionRelevance`.
 */
export function gradientRollout(layers: readonly RelevanceSource[], start: Tensor): Tensor {
  return noGrad(() => scope(() => layers.reduceRight((r, layer) => add(r, attentionRelevance(layer, r)), start)));
}
