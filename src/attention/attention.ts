/**
 * The one attention call: every mechanism goes through here, and every answer may carry a record of what attention did.
 *
 * This file checks the call and words it for the kernel; fused.ts runs it and knows its gradient. Next: fused.ts.
 */

import type { Tensor } from '../tensor/tensor.js';
import { fusedAttention } from './fused.js';
import { attentionSizes, maskOperands, scoreScalars } from './operands.js';
import { type AttentionOptions, checkOptions } from './options.js';
import { peek } from './peek.js';
import { Recording } from './recording.js';

export interface AttentionResult {
  /** [B, H, L, Dv], laid out in memory as [B, L, H, Dv] so that joining the heads copies nothing. */
  readonly out: Tensor;
  /** Natural logarithm of the softmax denominator [B, H, L]; -Infinity for a fully masked row. */
  readonly lse: Tensor;
  /** Present when asked for. `record.read()` gives plain data. */
  readonly record?: Recording | undefined;
}

/**
 * Scaled dot-product attention: `out_i = Σ_j p_ij·v_j`, `p_i = softmax_j(softcap(scale·q_i·k_j) + bias_ij)` over the keys
 * that the mask allows.
 *
 * Shapes: q [B, H, L, D], k [B, G, S, D], v [B, G, S, Dv]; H a multiple of G (query head h reads key head
 * `floor(h / (H/G))`). Cross-attention is S ≠ L. A fully masked row gives zeros. Memory: O(L), never L×S.
 * Numerics: max abs error ≤ 2e-6 on N(0,1) inputs; `record` changes no bit of `out`, `lse` or the gradients.
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
  const past = options.cache?.length ?? 0;
  const held = options.cache ? options.cache.append(k, v) : { k, v };
  const call = { ...options, offset: options.offset ?? past };

  const sizes = attentionSizes('attention', q, held.k, held.v);
  const operands = maskOperands('attention', sizes, q, call.mask, call.bias);
  const { rate = 0, seed = 0, stream = 0 } = call.dropout ?? {};
  const { out, lse, statistics } = fusedAttention(
    { q, ...held, ...operands },
    {
      sizes,
      scalars: { ...scoreScalars(sizes, call), dropoutRate: rate, seed, stream },
      recording: call.record !== undefined,
    },
  );
  if (!call.record || !statistics) return { out, lse };
  const rows = call.record.rows === 'all' ? Array.from({ length: sizes.L }, (_, i) => i) : call.record.rows;
  const weights = rows && { rows, weights: peek({ q, k: held.k, lse, ...call }, { rows }) };
  return { out, lse, record: new Recording(sizes, statistics, lse, weights) };
}
