/**
 * Attention the long way round: the whole weight matrix, then its product with v. For teaching, for mechanisms that the
 * kernel does not have, and as the oracle of the fused path. O(L·S) memory. Next: attention.ts for the fast way.
 */

import { full, tensor } from '../tensor/create.js';
import { add, affine, tanh, where } from '../tensor/elementwise.js';
import { concat } from '../tensor/join.js';
import { matmul } from '../tensor/linearAlgebra.js';
import { softmax } from '../tensor/normalise.js';
import type { Tensor } from '../tensor/tensor.js';
import { contiguous, expand, permute, reshape, slice, unsqueeze } from '../tensor/views.js';
import { predicateOf } from './maskAlgebra.js';
import { type AttentionSizes, attentionSizes, scoreScalars } from './operands.js';
import type { AttentionOptions } from './options.js';
import { biasOperands, explicitBias } from './relativeBias.js';

export type ExplicitOptions = Pick<AttentionOptions, 'scale' | 'softcap' | 'mask' | 'bias' | 'sinks' | 'offset'>;

/**
 * `softmax(softcap(scale · q·kᵀ) + bias)` over the allowed keys (Vaswani et al. 2017, eq. 1); with `sinks` over one key
 * more, whose weight is left out of the result.
 *
 * Shapes: q [B, H, L, D], k [B, G, S, D] → weights [B, H, L, S]. A row without an allowed key is all zeros.
 */
export function computeAttentionWeights(q: Tensor, k: Tensor, options: ExplicitOptions = {}): Tensor {
  const sizes = attentionSizes('computeAttentionWeights', q, k);
  const { scale, softcap, offset } = scoreScalars(sizes, options);
  const scores = affine(matmul(q, permute(repeatHeads(k, sizes), [0, 1, 3, 2])), scale, 0); // [B, H, L, S]
  const capped = softcap > 0 ? affine(tanh(affine(scores, 1 / softcap, 0)), softcap, 0) : scores;
  const call = { sizes, q, scale, offset };
  const bias = explicitBias(call, biasOperands('computeAttentionWeights', call, options.bias));
  const biased = bias ? add(capped, bias) : capped;
  const forbidden = full([1], -Infinity, { backend: q.backend });
  const masked = where(allowedPairs(q, sizes, options), biased, expand(forbidden, biased.shape));
  return options.sinks ? softmaxWithSinks(masked, options.sinks) : softmax(masked, -1);
}

/** Softmax over the keys and one logit a head beside them, without the weight of that. */
function softmaxWithSinks(scores: Tensor, sinks: Tensor): Tensor {
  const [B, H, L, S] = scores.shape as [number, number, number, number];
  const column = contiguous(expand(reshape(sinks, [1, H, 1, 1]), [B, H, L, 1]));
  return slice(softmax(concat([scores, column], 3), -1), 3, 0, S);
}

/**
 * `weights · v`.
 *
 * Shapes: weights [B, H, L, S], v [B, G, S, Dv] → out [B, H, L, Dv].
 */
export function applyAttentionWeights(weights: Tensor, v: Tensor): Tensor {
  const [B, H] = weights.shape as [number, number];
  const [, G, S, Dv] = v.shape as [number, number, number, number];
  return matmul(weights, repeatHeads(v, { B, H, G, S, L: 0, D: Dv, Dv }));
}

/** [B, G, S, D] → [B, H, S, D]: head h reads key head floor(h / (H/G)). */
function repeatHeads(x: Tensor, { B, H, G, S }: AttentionSizes): Tensor {
  if (H === G) return x;
  const width = x.shape[3] as number;
  return reshape(expand(unsqueeze(x, 2), [B, G, H / G, S, width]), [B, H, S, width]);
}

/** 1 where query i may attend to key j, from all parts of the mask; u8 [B, H, L, S]. */
function allowedPairs(q: Tensor, sizes: AttentionSizes, options: ExplicitOptions): Tensor {
  const { B, H, L, S } = sizes;
  const { offset } = scoreScalars(sizes, options);
  const mask = options.mask && predicateOf(options.mask).bind({ B, H, L, S, offset });
  const pairs = new Uint8Array(B * H * L * S);
  for (let index = 0; index < pairs.length; index++) {
    const [b, h] = [Math.floor(index / (H * L * S)), Math.floor(index / (L * S)) % H];
    const position = (Math.floor(index / S) % L) + offset;
    pairs[index] = Number(mask?.allows(b, h, position, index % S) ?? true);
  }
  return tensor(pairs, [B, H, L, S], { dtype: 'u8', backend: q.backend });
}
