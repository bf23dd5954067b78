/**
 * Attention the long way round: the whole weight matrix, then its product with v. For teaching, for mechanisms that the
 * kernel does not have, and as the oracle of the fused path. O(L·S) memory. Next: attention.ts for the fast way.
 */

import { StateError } from '../core/errors.js';
import { tensor } from '../tensor/create.js';
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

export type ExplicitOptions = Pick<
  AttentionOptions,
  'scale' | 'softcap' | 'mask' | 'bias' | 'sinks' | 'offset' | 'normaliser'
>;

/**
 * `normaliser(softcap(scale · q·kᵀ) + bias)` over the allowed keys, by default softmax (Vaswani et al. 2017, eq. 1); with
 * `sinks` over one key more, whose weight is left out of the result.
 *
 * Shapes: q [B, H, L, D], k [B, G, S, D] → weights [B, H, L, S]. A row without an allowed key is all zeros.
 */
export function computeAttentionWeights(q: Tensor, k: Tensor, options: ExplicitOptions = {}): Tensor {
  const { normaliser, sinks } = options;
  if (normaliser && sinks)
    throw new StateError(
      'computeAttentionWeights: expected sinks or a normaliser, got both; sinks are part of softmax',
    );
  const { scores } = attentionScores('computeAttentionWeights', q, k, options);
  if (sinks) return softmaxWithSinks(scores, sinks);
  return normaliser ? normaliser(scores) : softmax(scores, -1);
}

/** What a normaliser gets. */
export interface Scores {
  /** [B, H, L, S]; -Infinity where the mask or the bias forbids the pair. */
  readonly scores: Tensor;
  /** 1 for keys that some query may attend to: u8 [B, 1, S, 1]. The others must not be read, they may hold NaN. */
  readonly seen: Tensor;
  /** Vectors by distance that join the values; see relativeBias.ts. */
  readonly values?: Tensor | undefined;
}

/** The scores before the normaliser. */
export function attentionScores(name: string, q: Tensor, k: Tensor, options: ExplicitOptions): Scores {
  const sizes = attentionSizes(name, q, k);
  const { scale, softcap, offset } = scoreScalars(sizes, options);
  const allowed = allowedPairs(q, sizes, options);
  const seen = seenKeys(allowed, sizes);
  const keys = repeatHeads(where(seen, k, 0), sizes);
  const raw = affine(matmul(q, permute(keys, [0, 1, 3, 2])), scale, 0); // [B, H, L, S]
  const capped = softcap > 0 ? affine(tanh(affine(raw, 1 / softcap, 0)), softcap, 0) : raw;
  const call = { sizes, q, scale, offset };
  const terms = biasOperands(name, call, options.bias);
  const bias = explicitBias(call, terms);
  return { scores: where(allowed, bias ? add(capped, bias) : capped, -Infinity), seen, values: terms.values };
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

/** 1 for keys that any query of any head may attend to: u8 [B, 1, S, 1]. */
function seenKeys(allowed: Tensor, { B, H, L, S }: AttentionSizes): Tensor {
  const seen = new Uint8Array(B * S);
  allowed.toArray().forEach((may, at) => {
    if (may) seen[Math.floor(at / (H * L * S)) * S + (at % S)] = 1;
  });
  return tensor(seen, [B, 1, S, 1], { dtype: 'u8', backend: allowed.backend });
}
