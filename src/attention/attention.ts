/**
 * The one attention call: every mechanism goes through here, and every answer may carry a record of what attention did.
 * Next: fusedOperands.ts, which words the call for the kernel, and fusedAttention.ts, the operation with a gradient.
 */

import { add } from '../tensor/elementwise.js';
import { matmul } from '../tensor/linearAlgebra.js';
import type { Tensor } from '../tensor/tensor.js';
import { attendInParts, fitsParts } from './attendInParts.js';
import type { Held } from './attentionCache.js';
import { explicitAttention } from './explicitAttention.js';
import { fusedAttention } from './fusedAttention.js';
import { fusedOperands } from './fusedOperands.js';
import { and } from './mask.js';
import { attentionSizes } from './operands.js';
import { type AttentionOptions, checkOptions } from './options.js';
import { peek } from './peek.js';
import { Recording } from './recording.js';
import { allocateRecord } from './recordOperands.js';

export interface AttentionResult {
  /** [B, H, L, Dv], laid out in memory as [B, L, H, Dv] so that joining the heads copies nothing. */
  readonly out: Tensor;
  /** Natural logarithm of the softmax denominator [B, H, L]; -Infinity for a fully masked row. Differentiable. */
  readonly lse: Tensor;
  /** Present when asked for. `record.read()` gives plain data. */
  readonly record?: Recording | undefined;
}

/**
 * Scaled dot-product attention: `out_i = Σ_j p_ij·v_j`, `p_i = softmax_j(scoreMod(softcap(scale·q_i·k_j)) + bias_ij)` over the keys
 * that the mask allows; `sinks` take part in the softmax and have no value.
 *
 * Shapes: q [B, H, L, D], k [B, G, S, D], v [B, G, S, Dv]; H a multiple of G (query head h reads key head
 * `floor(h / (H/G))`). Cross-attention is S ≠ L. A fully masked row gives zeros. Memory: O(L), never L×S.
 * Numerics: max abs error ≤ 2e-6 on N(0,1) inputs; `record` changes no bit of `out`, `lse` or the gradients.
 * Gradients: a loss may use `out`, `lse` and the statistics of `differentiableStatistics`, through `record.tensor(name)`.
 * Errors: ShapeError for sizes that do not fit, StateError for an unknown option.
 * Source: Vaswani et al. 2017, eq. 1; fused after Dao et al. 2022 (FlashAttention), online softmax of Milakov and
 * Gimelshein 2018.
 *
 * @example
 * const { out, record } = attention(q, k, v, { mask: causal(), record: { statistics: true } });
 * const { entropyNats } = record.read().statistics; // [B, H, L]
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions & { readonly record: NonNullable<AttentionOptions['record']> },
): AttentionResult & { readonly record: Recording };
export function attention(q: Tensor, k: Tensor, v: Tensor, options?: AttentionOptions): AttentionResult;
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): AttentionResult {
  checkOptions(options);
  attentionSizes('attention', q, k, v);
  const { cache, ...rest } = options;
  if (cache?.appendInParts && fitsParts(options))
    return attendInParts(q, cache.appendInParts(k, v), (query, { k, v, offset }) =>
      attendFused(query, k, v, { ...rest, offset }),
    );
  const held: Held = cache ? cache.append(k, v) : { k, v };
  const past = (held.k.shape[2] as number) - (k.shape[2] as number);
  const masks = [rest.mask, held.mask].flatMap((part) => part ?? []);
  const call = { ...rest, mask: masks.length > 1 ? and(...masks) : masks[0], offset: options.offset ?? past };
  const { normaliser } = call;
  if (normaliser) return explicitAttention(q, held.k, held.v, { ...call, normaliser });
  return attendFused(q, held.k, held.v, call);
}

/** The call over all its keys, in the kernel. */
function attendFused(q: Tensor, k: Tensor, v: Tensor, call: AttentionOptions): AttentionResult {
  const sizes = attentionSizes('attention', q, k, v);
  const { operands, scalars, values } = fusedOperands(sizes, { q, k, v }, call);
  const { record } = call;
  const kept = allocateRecord(q, sizes, record);
  const { out, lse, statistics, mass } = fusedAttention(operands, { sizes, scalars, kept, withMass: !!values });
  const result = { out: values && mass ? add(out, matmul(mass, values)) : out, lse };
  if (!record) return result;
  const rows = record.rows === 'all' ? Array.from({ length: sizes.L }, (_, i) => i) : record.rows;
  const weights = rows && { rows, weights: peek({ q, k, lse, ...call }, { rows }) };
  return { ...result, record: new Recording(sizes, lse, { ...kept, statistics }, weights) };
}
