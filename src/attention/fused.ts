/**
 * The fused kernel as a differentiable operation: forward keeps only lse, backward recomputes the weights from it.
 * Next: ../backend/contract.ts for what the kernels compute.
 */

import { StateError } from '../core/errors.js';
import { statisticNames } from '../core/records.js';
import { defineOperation, type Outputs } from '../tensor/operation.js';
import { allocate, type Tensor } from '../tensor/tensor.js';
import { permute } from '../tensor/views.js';
import type { AttentionSizes, MaskOperands, ScoreScalars } from './operands.js';

/** Scalars of the kernel. */
export interface FusedScalars extends ScoreScalars {
  readonly dropoutRate: number;
  readonly seed: number;
  readonly stream: number;
}

interface FusedOptions {
  readonly sizes: AttentionSizes;
  readonly scalars: FusedScalars;
  readonly recording: boolean;
}

type Optional = Tensor | undefined;
/** q, k, v, then bias [B, H, L, S], mask u8 [B, H, L, S] and lengths i32 [B]. */
type FusedInputs = readonly [Tensor, Tensor, Tensor, Optional, Optional, Optional];

/** Outputs: out, lse and, when recording, statistics. */
const operation = defineOperation<FusedInputs, Outputs, Record<string, never>, FusedOptions>({
  name: 'attention',

  forward([q, k, v, bias, mask, lengths], { sizes, scalars, recording }) {
    const { B, H, L, Dv } = sizes;
    const out = headsLast([B, H, L, Dv], q);
    const lse = allocate(q.backend, 'f32', [B, H, L]);
    const statistics = recording ? allocate(q.backend, 'f32', [statisticNames.length, B, H, L]) : undefined;
    q.backend.run('attention_forward_f32', { out, lse, statistics, q, k, v, mask, bias, lengths }, scalars);
    return { outputs: statistics ? [out, lse, statistics] : [out, lse] };
  },

  backward({ inputs: [q, k, v, bias, mask, lengths], outputs, options, needs }, [dout, ...others]) {
    if (dout === undefined || others.some((gradient) => gradient !== undefined)) {
      throw new StateError('attention: expected a loss on out, got one on lse or a statistic, which have no gradient');
    }
    const [out, lse] = outputs as readonly [Tensor, Tensor];
    const [dq, dk, dv] = [headsLast(q.shape, q), headsLast(k.shape, k), headsLast(v.shape, v)];
    const dbias = bias && needs[3] ? allocate(q.backend, 'f32', bias.shape) : undefined;
    const operands = { dq, dk, dv, dbias, dout, out, lse, q, k, v, mask, bias, lengths };
    q.backend.run('attention_backward_f32', operands, options.scalars);
    return [dq, dk, dv, dbias, undefined, undefined];
  },
});

/** Runs the kernel on checked operands. */
export function fusedAttention(
  { q, k, v, bias, mask, lengths }: { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor } & MaskOperands,
  options: FusedOptions,
): { readonly out: Tensor; readonly lse: Tensor; readonly statistics: Tensor | undefined } {
  const [out, lse, statistics] = operation([q, k, v, bias, mask, lengths], options) as [Tensor, Tensor, Tensor?];
  return { out, lse, statistics };
}

/** Uninitialised [B, H, L, D] whose memory is [B, L, H, D], the layout that projections read and write. */
function headsLast(shape: readonly number[], like: Tensor): Tensor {
  const [B, H, L, D] = shape as readonly [number, number, number, number];
  return permute(allocate(like.backend, 'f32', [B, L, H, D]), [0, 2, 1, 3]);
}
