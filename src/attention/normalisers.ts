/**
 * What turns scores into weights on the explicit path, in place of softmax. Every normaliser is a function of scores
 * [B, H, L, S] in which forbidden pairs are -Infinity; `softmax`, `sparsemax` and `entmax15` of the tensor layer are
 * normalisers as they stand. Next: explicitAttention.ts, which uses them.
 */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor } from '../tensor/create.js';
import { add, sigmoid, where } from '../tensor/elementwise.js';
import { matmul } from '../tensor/linearAlgebra.js';
import { softmax } from '../tensor/normalise.js';
import type { Tensor } from '../tensor/tensor.js';
import { permute } from '../tensor/views.js';

/** Scores [B, H, L, S] → weights [B, H, L, S]. A score of -Infinity is a forbidden pair and must get weight 0. */
export type Normaliser = (scores: Tensor) => Tensor;

/**
 * Every pair on its own: `sigmoid(score + bias)`. The weights of a row need not sum to 1.
 *
 * Parameters: bias, default `-ln S`. Source: Ramapuram et al. 2024, eq. 3 and §3.1 (the default).
 */
export function sigmoidWeights(options: { readonly bias?: number } = {}): Normaliser {
  return (scores) => sigmoid(add(scores, options.bias ?? -Math.log(Math.max(1, scores.shape[3] as number))));
}

/**
 * Only the `count` largest scores of every row go on to `normaliser`; of equal scores the first keys.
 *
 * Errors: ShapeError for a count below 1. Source: Zhao et al. 2019 (Explicit Sparse Transformer), eq. 4–6.
 */
export function topKWeights(count: number, normaliser: Normaliser = softmax): Normaliser {
  if (!Number.isInteger(count) || count < 1)
    throw new ShapeError(`topKWeights: expected a count of at least 1, got ${count}`);
  return (scores) => normaliser(where(largestOfRows(scores, count), scores, -Infinity));
}

/** 1 for the `count` largest elements of every row: u8, shape of x. */
function largestOfRows(x: Tensor, count: number): Tensor {
  const values = x.toArray();
  const width = x.shape.at(-1) as number;
  const kept = new Uint8Array(values.length);
  for (let start = 0; start < values.length; start += width) {
    const row = values.subarray(start, start + width);
    const order = Array.from(row.keys()).sort((a, b) => (row[b] as number) - (row[a] as number) || a - b);
    for (const j of order.slice(0, count)) kept[start + j] = 1;
  }
  return tensor(kept, x.shape, { dtype: 'u8', backend: x.backend });
}

export interface TalkingHeadsOptions {
  /** Mixes the scores of the heads [H, H]: head c gets `Σ_a scores_a·before_ac`. Left out: not mixed. */
  readonly before?: Tensor | undefined;
  /** Mixes the weights of the heads [H, H]. Left out: not mixed. */
  readonly after?: Tensor | undefined;
  /** Between the two. Default softmax. */
  readonly normaliser?: Normaliser | undefined;
}

/**
 * Heads that mix their scores before, and their weights after the normaliser.
 *
 * Masks: a pair that any head forbids is forbidden for all of them. Source: Shazeer et al. 2020 (Talking-Heads), §3.
 */
export function talkingHeads({ before, after, normaliser = softmax }: TalkingHeadsOptions): Normaliser {
  return (scores) => {
    const allowed = allowedByAll(scores);
    const mixed = before ? mixHeads('before', where(allowed, scores, 0), before) : scores;
    const weights = normaliser(where(allowed, mixed, -Infinity));
    return after ? mixHeads('after', weights, after) : weights;
  };
}

function mixHeads(label: string, x: Tensor, mix: Tensor): Tensor {
  const H = x.shape[1] as number;
  if (mix.shape.join() !== [H, H].join())
    throw new ShapeError(`talkingHeads: expected ${label} [H, H] = [${H}, ${H}], got ${formatShape(mix.shape)}`);
  return permute(matmul(permute(x, [0, 2, 3, 1]), mix), [0, 3, 1, 2]); // [B, H, L, S]
}

/** 1 where no head forbids the pair: u8 [B, 1, L, S]. */
function allowedByAll(scores: Tensor): Tensor {
  const [B, H, L, S] = scores.shape as [number, number, number, number];
  const values = scores.toArray();
  const allowed = new Uint8Array(B * L * S).fill(1);
  values.forEach((score, at) => {
    const b = Math.floor(at / (H * L * S));
    if (score === -Infinity) allowed[b * L * S + (at % (L * S))] = 0;
  });
  return tensor(allowed, [B, 1, L, S], { dtype: 'u8', backend: scores.backend });
}
