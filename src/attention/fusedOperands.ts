/**
 * The attention call in the words of the fused kernel: every operand under its name, and the scalars. An option of the
 * call that the kernel knows is worded here. Next: fusedAttention.ts, which takes them.
 */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { type AttentionSizes, type MaskOperands, maskOperands, type ScoreScalars, scoreScalars } from './operands.js';
import type { AttentionOptions } from './options.js';
import { recordOperands } from './recordOperands.js';
import { biasOperands } from './relativeBias.js';
import { type ScoreOperands, scoreOperands } from './scoreMod/program.js';

/** What the kernels of attention read. */
export interface FusedOperands extends MaskOperands, ScoreOperands {
  /** [B, H, L, D] */
  readonly q: Tensor;
  /** [B, G, S, D] */
  readonly k: Tensor;
  /** [B, G, S, Dv] */
  readonly v: Tensor;
  /** The record's set of keys, u8 [B, S]. */
  readonly set?: Tensor | undefined;
  /** The bias by distance as given, rank 4: [1 or B, 1 or H, 1 or L, R]. */
  readonly relative?: Tensor | undefined;
  /** [H] */
  readonly sinks?: Tensor | undefined;
}

export type FusedScalars = ScoreScalars & Readonly<Record<'dropoutRate' | 'seed' | 'stream' | 'window', number>>;

export interface FusedCall {
  readonly operands: FusedOperands;
  readonly scalars: FusedScalars;
  /** Vectors by distance that join the values; see relativeBias.ts. */
  readonly values: Tensor | undefined;
}

/** Words a call; options that do not fit its sizes are errors. */
export function fusedOperands(
  sizes: AttentionSizes,
  { q, k, v }: Readonly<Record<'q' | 'k' | 'v', Tensor>>,
  call: AttentionOptions,
): FusedCall {
  const { sinks, dropout, record } = call;
  if (sinks && sinks.shape.join() !== `${sizes.H}`)
    throw new ShapeError(`attention: expected sinks [H] = [${sizes.H}], got ${formatShape(sinks.shape)}`);
  const score = scoreScalars(sizes, call);
  const { bias, relative, reach, values } = biasOperands('attention', { sizes, q, ...score }, call.bias);
  const masks = maskOperands('attention', sizes, q, { ...call, bias });
  const { set, window } = recordOperands(sizes, record);
  const program = scoreOperands(call.scoreMod, sizes, score.offset, q);
  const { rate = 0, seed = 0, stream = 0 } = dropout ?? {};
  return {
    operands: { q, k, v, ...masks, ...program, set, relative, sinks },
    scalars: { ...score, reach, dropoutRate: rate, seed, stream, window },
    values,
  };
}
