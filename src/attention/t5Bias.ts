/** T5's relative bias: one learned score for each head and bucket of distances, fine nearby and coarse far away. */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor } from '../tensor/create.js';
import { embedding } from '../tensor/indexing.js';
import type { Tensor } from '../tensor/tensor.js';
import { contiguous, reshape, transpose } from '../tensor/views.js';
import { distancesOf } from './alibi.js';
import type { BiasCall, RelativeBias, RelativeTerms } from './relativeBias.js';

export interface T5BiasOptions {
  /** Distance from which all keys share one bucket. Default 128. */
  readonly maxDistance?: number;
  /** Keys before and after the query have buckets of their own (encoders); else later keys count as distance 0. Default true. */
  readonly bidirectional?: boolean;
}

/**
 * `score_ij += weight[bucket(j - i), h]`.
 *
 * Shapes: weight [buckets, H], `relative_attention_bias.weight` of a checkpoint. Memory: O(H · maxDistance), never L×S.
 * T5 does not scale q·k: pass `scale: 1` for its weights. Errors: ShapeError for a weight that is not [buckets, H].
 * Source: Raffel et al. 2020, §2.1; buckets as in the authors' code (mesh_tensorflow, transformers).
 *
 * @example
 * const { out } = attention(q, k, v, { bias: t5Bias(weight), scale: 1 });
 */
export function t5Bias(weight: Tensor, options: T5BiasOptions = {}): RelativeBias {
  return { terms: (call) => t5Terms(weight, options, call) };
}

function t5Terms(weight: Tensor, options: T5BiasOptions, { sizes: { H, L, S }, offset }: BiasCall): RelativeTerms {
  const [buckets = 0, heads] = weight.shape;
  if (weight.shape.length !== 2 || heads !== H)
    throw new ShapeError(`t5Bias: expected weight [buckets, H] = [*, ${H}], got ${formatShape(weight.shape)}`);
  const { maxDistance = 128, bidirectional = true } = options;
  const { reach, columns } = distancesOf(L, S, offset, maxDistance);
  const ids = Int32Array.from({ length: columns }, (_, r) =>
    t5Bucket(r - reach, { buckets, maxDistance, bidirectional }),
  );
  const rows = embedding(weight, tensor(ids, [columns], { backend: weight.backend })); // [R, H]
  return { table: reshape(contiguous(transpose(rows)), [1, H, 1, columns]), reach };
}

/**
 * The bucket of distance j - i: half of the buckets hold one distance each, the others grow by a constant factor up to
 * `maxDistance`. Rounded to float32 at each step, as the authors' code is.
 */
export function t5Bucket(
  distance: number,
  { buckets, maxDistance = 128, bidirectional = true }: T5BiasOptions & { readonly buckets: number },
): number {
  const share = bidirectional ? Math.floor(buckets / 2) : buckets;
  const exact = Math.floor(share / 2);
  if (exact < 1 || maxDistance <= exact)
    throw new ShapeError(
      `t5Bucket: expected at least ${bidirectional ? 4 : 2} buckets and a maxDistance above ${exact}, got ${buckets} and ${maxDistance}`,
    );
  const first = bidirectional && distance > 0 ? share : 0;
  const apart = bidirectional ? Math.abs(distance) : Math.max(0, -distance);
  if (apart < exact) return first + apart;
  const ratio = Math.fround(
    Math.fround(Math.log(Math.fround(apart / exact))) / Math.fround(Math.log(maxDistance / exact)),
  );
  return first + Math.min(share - 1, exact + Math.floor(Math.fround(ratio * (share - exact))));
}
