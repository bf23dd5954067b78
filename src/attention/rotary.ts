/**
 * Rotary positions: pairs of channels of q and k turn by an angle that grows with the position, so that q·k depends on the
 * distance alone. Applied before the attention call. Next: attention.ts.
 */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor } from '../tensor/create.js';
import { rotatePairs } from '../tensor/rotatePairs.js';
import type { Tensor } from '../tensor/tensor.js';
import { type RotaryScaling, rotaryFrequencies } from './rotaryScaling.js';

export interface RotaryOptions {
  /** Channels that turn, the first of D; even. Default D (GPT-NeoX and others turn a part). */
  readonly width?: number;
  /** Pairs are channels 2i and 2i + 1 (RoFormer, GPT-J); else i and i + width/2 (GPT-NeoX, Llama). Default false. */
  readonly interleaved?: boolean;
  /** Default 10000. */
  readonly base?: number;
  /** How a model is stretched beyond the length it was trained on. */
  readonly scaling?: RotaryScaling;
  /** Position of the first row: the cache's length when decoding. Default 0. */
  readonly offset?: number;
  /** Position of every row [L], instead of `offset`. */
  readonly positions?: ArrayLike<number>;
}

/**
 * Pair (a, b) of channel pair c at position p becomes `(a·cos - b·sin, b·cos + a·sin)` of the angle `p·base^(-2c/width)`.
 *
 * Shapes: x [B, H, L, D] → the same. Numerics: ≤ 3e-7·|pair|; angles are float64. Gradients: to x.
 * Errors: ShapeError for a width that is odd or above D, positions that are not L, or a scaling that cannot be.
 * Source: Su et al. 2021 (RoFormer), eq. 34.
 */
export function rotate(x: Tensor, options: RotaryOptions = {}): Tensor {
  const [, , L, D] = x.shape as [number, number, number, number];
  const { width = D, interleaved = false, base = 10000, scaling, offset = 0 } = options;
  if (x.shape.length !== 4 || width % 2 !== 0 || !(width > 0) || width > D)
    throw new ShapeError(
      `rotate: expected x [B, H, L, D] and an even width up to D, got ${formatShape(x.shape)} and ${width}`,
    );
  const positions = options.positions ?? Array.from({ length: L }, (_, i) => offset + i);
  if (positions.length !== L)
    throw new ShapeError(`rotate: expected positions [L] = [${L}], got [${positions.length}]`);
  const { frequencies, magnitude } = rotaryFrequencies(width, base, scaling);
  const waves = [Math.cos, Math.sin].map((wave) => {
    const values = Float32Array.from({ length: (L * width) / 2 }, (_, at) => {
      const [i, pair] = [Math.floor(at / (width / 2)), at % (width / 2)];
      return magnitude * wave((positions[i] as number) * (frequencies[pair] as number));
    });
    return tensor(values, [L, width / 2], { backend: x.backend });
  });
  return rotatePairs(x, waves[0] as Tensor, waves[1] as Tensor, { width, interleaved });
}

/**
 * Queries and keys turned alike; see `rotate`.
 *
 * @example
 * const [turnedQ, turnedK] = rope(q, k, { offset: cache.length });
 */
export function rope(q: Tensor, k: Tensor, options: RotaryOptions = {}): readonly [q: Tensor, k: Tensor] {
  return [rotate(q, options), rotate(k, options)];
}
