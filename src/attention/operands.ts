/**
 * From the attention call to the kernel's words: checked sizes, a mask as u8 view, a bias as broadcast view, lengths as
 * an i32 tensor, and the scalars. The fused path, peek and the explicit path all start here. Next: attention.ts.
 */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { type BlockOperands, blockOperands } from './blockOperands.js';
import type { AttentionOptions } from './options.js';
import { type AttentionSizes, spread } from './sizes.js';

export type { AttentionSizes } from './sizes.js';

/** Optional operands of every attention kernel. */
export interface MaskOperands extends BlockOperands {
  readonly mask?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
  readonly lengths?: Tensor | undefined;
}

/** Scalars shared by every attention kernel. */
export interface ScoreScalars {
  readonly scale: number;
  readonly softcap: number;
  readonly left: number;
  readonly right: number;
  readonly offset: number;
  /** Column of distance 0 in a bias by distance. */
  readonly reach: number;
}

/** Checks q [B, H, L, D], k [B, G, S, D], v [B, G, S, Dv] against each other; H must be a multiple of G. */
export function attentionSizes(name: string, q: Tensor, k: Tensor, v: Tensor = k): AttentionSizes {
  for (const [label, { shape }] of Object.entries({ q, k, v })) {
    if (shape.length !== 4)
      throw new ShapeError(`${name}: expected ${label} of rank 4 [B, H, L, D], got ${formatShape(shape)}`);
  }
  const [B, H, L, D] = q.shape as [number, number, number, number];
  const [, G, S] = k.shape as [number, number, number, number];
  const Dv = v.shape[3] as number;
  refuse(name, 'k [B, G, S, D]', [B, '*', '*', D], k, q, (k.shape[0] !== B && 'B') || (k.shape[3] !== D && 'D'));
  refuse(
    name,
    'v [B, G, S, Dv]',
    [B, G, S, '*'],
    v,
    k,
    (v.shape[0] !== B && 'B') || (v.shape[1] !== G && 'G') || (v.shape[2] !== S && 'S'),
  );
  if (G === 0 ? H !== 0 : H % G !== 0)
    throw new ShapeError(`${name}: expected H = ${H} query heads to be a multiple of G = ${G} key heads`);
  return { B, H, G, L, S, D, Dv };
}

function refuse(
  name: string,
  label: string,
  wanted: readonly unknown[],
  got: Tensor,
  like: Tensor,
  differs: string | false,
): void {
  if (differs === false) return;
  throw new ShapeError(
    `${name}: expected ${label} = [${wanted.join(', ')}] to match ${formatShape(like.shape)}, got ${formatShape(got.shape)}; ${differs} differs`,
    { shape: got.shape },
  );
}

/** The mask and bias as operands of the kernel, broadcast to [B, H, L, S]; `offset` is the first query's position. */
export function maskOperands(
  name: string,
  sizes: AttentionSizes,
  like: Tensor,
  { mask, bias, offset = 0 }: Pick<AttentionOptions, 'mask' | 'offset'> & { readonly bias?: Tensor | undefined },
): MaskOperands {
  const { B, H, L, S } = sizes;
  const lengths = mask?.lengths;
  if (lengths && lengths.length !== B)
    throw new ShapeError(`${name}: expected key lengths [B] = [${B}], got [${lengths.length}]`);
  return {
    mask: mask?.allowed && spread(name, 'mask', mask.allowed, [B, H, L, S]),
    bias: bias && spread(name, 'bias', bias, [B, H, L, S]),
    lengths: lengths && tensor(lengths, [B], { dtype: 'i32', backend: like.backend }),
    ...blockOperands(mask, { B, H, L, S, offset }, like),
  };
}

/** The scalars of a call, with their defaults. */
export function scoreScalars(
  sizes: AttentionSizes,
  options: Pick<AttentionOptions, 'scale' | 'softcap' | 'mask' | 'offset'>,
  reach = 0,
): ScoreScalars {
  return {
    scale: options.scale ?? 1 / Math.sqrt(sizes.D),
    softcap: options.softcap ?? 0,
    left: options.mask?.left ?? Infinity,
    right: options.mask?.right ?? Infinity,
    offset: options.offset ?? 0,
    reach,
  };
}
