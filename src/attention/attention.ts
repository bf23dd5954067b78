/**
 * The one attention call: every mechanism goes through here, and every answer may carry a record of what attention did.
 *
 * Above, the call is checked and worded for the kernel (how: operands.ts); below, it is an operation with a gradient:
 * forward keeps only lse, backward recomputes the weights from it. Next: ../backend/contract.ts for what the kernels
 * compute.
 */

import { StateError } from '../core/errors.js';
import { defineOperation } from '../tensor/operation.js';
import { allocate, type Tensor } from '../tensor/tensor.js';
import { permute } from '../tensor/views.js';
import { type AttentionSizes, attentionSizes, maskOperands, type ScoreScalars, scoreScalars } from './operands.js';
import { type AttentionOptions, checkOptions, type RecordOptions } from './options.js';
import { peek } from './peek.js';
import { Recording } from './recording.js';
import { allocateRecord, type RecordedTensors, recordedOperands, recordOperands } from './recordOperands.js';

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
  attentionSizes('attention', q, k, v);
  const past = options.cache?.length ?? 0;
  const held = options.cache ? options.cache.append(k, v) : { k, v };
  const call = { ...options, offset: options.offset ?? past };

  const sizes = attentionSizes('attention', q, held.k, held.v);
  const { mask, bias, lengths } = maskOperands('attention', sizes, q, call.mask, call.bias);
  const { rate = 0, seed = 0, stream = 0 } = call.dropout ?? {};
  const scalars = { ...scoreScalars(sizes, call), dropoutRate: rate, seed, stream };
  const { record } = call;
  const [out, lse, ...recorded] = fused([q, held.k, held.v, bias, mask, lengths], { sizes, scalars, record });

  if (!record) return { out, lse };
  const rows = record.rows === 'all' ? Array.from({ length: sizes.L }, (_, i) => i) : record.rows;
  const weights = rows && { rows, weights: peek({ q, k: held.k, lse, ...call }, { rows }) };
  return { out, lse, record: new Recording(sizes, lse, recorded, weights) };
}

interface FusedOptions {
  readonly sizes: AttentionSizes;
  readonly scalars: ScoreScalars & { readonly dropoutRate: number; readonly seed: number; readonly stream: number };
  /** What the kernel is to record; outputs that are not asked for are empty. */
  readonly record: RecordOptions | undefined;
}

type Optional = Tensor | undefined;
/** q, k, v, then bias [B, H, L, S], mask u8 [B, H, L, S] and lengths i32 [B]. */
type FusedInputs = readonly [Tensor, Tensor, Tensor, Optional, Optional, Optional];
/** out [B, H, L, Dv], lse [B, H, L], then the record. */
type FusedOutputs = readonly [Tensor, Tensor, ...RecordedTensors];

const fused = defineOperation<FusedInputs, FusedOutputs, Record<string, never>, FusedOptions>({
  name: 'attention',

  forward([q, k, v, bias, mask, lengths], { sizes, scalars, record }) {
    const { backend } = q;
    const out = headsLast([sizes.B, sizes.H, sizes.L, sizes.Dv], q);
    const lse = allocate(backend, 'f32', [sizes.B, sizes.H, sizes.L]);
    const recorded = allocateRecord(backend, sizes, record);
    const { set, window } = recordOperands(sizes, record);
    const operands = { out, lse, ...recordedOperands(recorded), q, k, v, mask, bias, lengths, set };
    backend.run('attention_forward_f32', operands, { ...scalars, window });
    return { outputs: [out, lse, ...recorded] };
  },
  backward({ inputs: [q, k, v, bias, mask, lengths], outputs: [out, lse], options, needs }, [dout, ...others]) {
    if (dout === undefined || others.some((gradient) => gradient !== undefined)) {
      throw new StateError('attention: expected a loss on out, got one on lse or a statistic, which have no gradient');
    }
    const [dq, dk, dv] = [headsLast(q.shape, q), headsLast(k.shape, k), headsLast(v.shape, v)];
    const dbias = bias && needs[3] ? allocate(q.backend, 'f32', bias.shape) : undefined;
    const operands = { dq, dk, dv, dbias, dout, out, lse, q, k, v, mask, bias, lengths };
    q.backend.run('attention_backward_f32', operands, options.scalars);
    return [dq, dk, dv, dbias, undefined, undefined];
  },
});

/** Uninitialised [B, H, L, D] whose memory is [B, L, H, D], the layout that projections read and write. */
function headsLast(shape: readonly number[], like: Tensor): Tensor {
  const [B, H, L, D] = shape as readonly [number, number, number, number];
  return permute(allocate(like.backend, 'f32', [B, L, H, D]), [0, 2, 1, 3]);
}
