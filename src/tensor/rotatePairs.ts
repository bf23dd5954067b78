/** Pairs of channels turned by given angles: what rotary positions are made of (../attention/rotary.ts). */

import { binaryOps } from '../backend/kernels.generated.js';
import { defineOperation, type Saved } from './operation.js';
import { allocate, type Tensor } from './tensor.js';
import { expand } from './views.js';

/** Which channels turn together. */
export interface Pairing {
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

/** `(a·cos - b·sin, b·cos + a·sin)` for every pair of x [B, H, L, D]; cos and sin [L, width/2]. */
export function rotatePairs(x: Tensor, cos: Tensor, sin: Tensor, pairing: Pairing): Tensor {
  return rotation([x, cos, sin], pairing)[0];
}

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
