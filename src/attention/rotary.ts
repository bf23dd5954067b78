/**
 * Rotary positions: pairs of channels of q and k turn by an angle that grows with the position, so that q·k depends on the
 * distance alone. Applied before the attention call. Next: attention.ts.
 */

import { binaryOps } from '../backend/kernels.generated.js';
import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor } from '../tensor/create.js';
import { defineOperation, type Saved } from '../tensor/operation.js';
import { allocate, type Tensor } from '../tensor/tensor.js';
import { expand } from '../tensor/views.js';
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
  return rotation([x, waves[0] as Tensor, waves[1] as Tensor], { width, interleaved })[0];
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

interface Pairing {
  readonly width: number;
  readonly interleaved: boolean;
}

/** x [B, H, L, D], cos and sin [L, width/2]; the gradient turns back. */
const rotation = defineOperation<readonly [Tensor, Tensor, Tensor], readonly [Tensor], Saved, Pairing>({
  name: 'rope',
  forward: ([x, cos, sin], pairing) => ({ outputs: [turned(x, cos, sin, pairing, ['subtract', 'add'])] }),
  backward: ({ inputs: [, cos, sin], options }, [dout]) => [
    turned(dout, cos, sin, options, ['add', 'subtract']),
    undefined,
    undefined,
  ],
});

type Sign = 'add' | 'subtract';

function turned(x: Tensor, cos: Tensor, sin: Tensor, pairing: Pairing, [first, second]: readonly [Sign, Sign]): Tensor {
  const out = allocate(x.backend, 'f32', x.shape);
  const [a, b] = pairsOf(x, pairing);
  const [left, right] = pairsOf(out, pairing);
  const [c, s] = [expand(cos, a.shape), expand(sin, a.shape)];
  const term = allocate(x.backend, 'f32', a.shape);
  const combine = (to: Tensor, own: Tensor, other: Tensor, sign: Sign): void => {
    run('multiply', to, own, c);
    run('multiply', term, other, s);
    run(sign, to, to, term);
  };
  combine(left, a, b, first);
  combine(right, b, a, second);
  const rest = x.shape[3] as number;
  if (pairing.width < rest) {
    const [to, from] = [out, x].map((whole) => columns(whole, pairing.width, rest - pairing.width, 1)) as [
      Tensor,
      Tensor,
    ];
    x.backend.run('copy_f32', { out: to, a: from }, {});
  }
  return out;
}

function run(op: Sign | 'multiply', out: Tensor, a: Tensor, b: Tensor): void {
  out.backend.run('binary_f32', { out, a, b }, { op: binaryOps.indexOf(op) });
}

/** The two halves of every pair [B, H, L, width/2], as views. */
function pairsOf(x: Tensor, { width, interleaved }: Pairing): readonly [Tensor, Tensor] {
  const count = width / 2;
  if (interleaved) return [columns(x, 0, count, 2), columns(x, 1, count, 2)];
  return [columns(x, 0, count, 1), columns(x, count, count, 1)];
}

/** `count` columns from `start` on, `step` apart. */
function columns(x: Tensor, start: number, count: number, step: number): Tensor {
  const [B, H, L] = x.shape as [number, number, number];
  const [b, h, l, d] = x.strides as [number, number, number, number];
  return x.window([B, H, L, count], [b, h, l, d * step], x.offset + start * d);
}
