/**
 * The attention call with another normaliser than softmax. The whole weight matrix is made, O(L·S) memory, and everything
 * else (masks, bias, dropout, cache, record) is as in attention.ts, which comes here when a normaliser is given.
 */

import { ShapeError, StateError } from '../core/errors.js';
import { formatShape, sameShape } from '../core/shape.js';
import { dropout, where } from '../tensor/elementwise.js';
import { noGrad } from '../tensor/recording.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { applyAttentionWeights, attentionScores } from './explicit.js';
import { logSumExp } from './mergeParts.js';
import type { Normaliser } from './normalisers.js';
import { attentionSizes } from './operands.js';
import type { AttentionOptions } from './options.js';
import type { Recording } from './recording.js';
import { recordWeights } from './weightsRecord.js';

export interface ExplicitResult {
  /** [B, H, L, Dv] */
  readonly out: Tensor;
  /** `ln Σ_j e^{s_ij}` of the scores [B, H, L], whatever the normaliser. Without gradient. */
  readonly lse: Tensor;
  readonly record?: Recording | undefined;
}

/** `out = dropout(normaliser(scores))·v` for checked options. Keys that no query may see never influence anything. */
export function explicitAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions & { readonly normaliser: Normaliser },
): ExplicitResult {
  refuseOthers(options);
  const sizes = attentionSizes('attention', q, k, v);
  return scope(() => {
    const { scores, seen, values } = attentionScores('attention', q, k, options);
    if (values) throw missing('vectors by distance that join the values');
    const weights = options.normaliser(scores); // [B, H, L, S]
    requireSameShape(weights, scores);
    const kept = options.dropout ? dropout(weights, options.dropout) : weights;
    const out = applyAttentionWeights(kept, where(seen, v, 0));
    const lse = noGrad(() => logSumExp(scores));
    const { record, offset = 0 } = options;
    if (!record) return { out, lse };
    const recording = noGrad(() => recordWeights({ sizes, scores, weights, lse, offset }, record));
    return { out, lse, record: recording };
  });
}

function requireSameShape(weights: Tensor, scores: Tensor): void {
  if (sameShape(weights.shape, scores.shape)) return;
  throw new ShapeError(
    `attention: expected the normaliser to return [B, H, L, S] = ${formatShape(scores.shape)}, got ${formatShape(weights.shape)}`,
  );
}

const understood = new Set(['scale', 'softcap', 'mask', 'bias', 'normaliser', 'dropout', 'cache', 'offset', 'record']);

/** What only the kernel computes is refused, never left out. */
function refuseOthers(options: AttentionOptions): void {
  for (const [name, value] of Object.entries(options))
    if (value !== undefined && !understood.has(name)) throw missing(name);
}

function missing(what: string): StateError {
  return new StateError(`attention: expected no ${what} beside a normaliser, got one; the explicit path lacks it`);
}
