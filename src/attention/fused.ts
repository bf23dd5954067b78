/**
 * The fused kernel as a differentiable operation: forward keeps only lse, backward recomputes the weights from it.
 * Next: ../backend/contract.ts for what the kernels compute.
 */

import { StateError } from '../core/errors.js';
import { statisticNames } from '../core/records.js';
import { empty } from '../tensor/create.js';
import { defineOperation } from '../tensor/operation.js';
import type { Tensor } from '../tensor/tensor.js';
import { permute } from '../tensor/views.js';
import type { AttentionSizes, MaskOperands, ScoreScalars } from './operands.js';

/** Scalars of the kernel, and whether to record. */
export interface FusedOptions extends ScoreScalars {
  readonly dropoutRate: number;
  readonly seed: number;
  readonly stream: number;
  readonly recording: boolean;
}

interface Call {
  readonly sizes: AttentionSizes;
  readonly scalars: Omit<FusedOptions, 'recording'>;
  readonly recording: boolean;
  readonly mask: Tensor | undefined;
  readonly lengths: Tensor | undefined;
}

/** Inputs q, k, v and, where there is one, bias [B, H, L, S]. Outputs out, lse and, when recording, statistics. */
const operation = defineOperation<Call>({
  name: 'attention',
  forward([q, k, v, bias], { sizes, scalars, recording, mask, lengths }) {
    const { B, H, L, Dv } = sizes;
    const out = headsLast([B, H, L, Dv], q);
    const lse = empty([B, H, L], { backend: q.backend });
    const statistics = recording ? empty([statisticNames.length, B, H, L], { backend: q.backend }) : undefined;
    q.backend.run('attention_forward_f32', { out, lse, statistics, q, k, v, mask, bias, lengths }, scalars);
    return { outputs: statistics ? [out, lse, statistics] : [out, lse] };
  },
  backward({ inputs: [q, k, v, bias], outputs: [out, lse], options, needs }, [dout, dlse, dstatistics]) {
    if (dlse || dstatistics)
      throw new StateError('attention: expected a loss on out only, got one on lse or a statistic; detach them');
    if (!dout) return [];
    const [dq, dk, dv] = [headsLast(q.shape, q), headsLast(k.shape, k), headsLast(v.shape, v)];
    const dbias = bias && needs[3] ? empty(bias.shape, { backend: q.backend }) : undefined;
    const { mask, lengths, scalars } = options;
    q.backend.run(
      'attention_backward_f32',
      { dq, dk, dv, dbias, dout, out, lse, q, k, v, mask, bias, lengths },
      scalars,
    );
    return [dq, dk, dv, dbias];
  },
});

/** Runs the kernel on checked operands. */
export function fusedAttention(
  operands: { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor } & MaskOperands,
  sizes: AttentionSizes,
  { recording, ...scalars }: FusedOptions,
): { readonly out: Tensor; readonly lse: Tensor; readonly statistics: Tensor | undefined } {
  const { q, k, v, bias, mask, lengths } = operands;
  const inputs = bias ? [q, k, v, bias] : [q, k, v];
  const [out, lse, statistics] = operation(inputs, { sizes, scalars, recording, mask, lengths }) as [
    Tensor,
    Tensor,
    Tensor?,
  ];
  return { out, lse, statistics };
}

/** Uninitialised [B, H, L, D] whose memory is [B, L, H, D], the layout that projections read and write. */
function headsLast(shape: readonly number[], like: Tensor): Tensor {
  const [B, H, L, D] = shape as [number, number, number, number];
  return permute(empty([B, L, H, D], { backend: like.backend }), [0, 2, 1, 3]);
}
