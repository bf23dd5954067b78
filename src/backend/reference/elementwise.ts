/**
 * Kernels whose every output element depends on one element of each input. An output may be the very view of an input:
 * each element is read before it is written.
 */

import { BackendError } from '../../core/errors.js';
import { dropoutKeep, dropoutRowKey } from '../dropout.js';
import { binaryOps, unaryOps } from '../kernels.generated.js';
import { binaryFunctions, unaryFunctions } from './functions.js';
import { chosen, type ReferenceKernel } from './kernel.js';
import { forEachRow, type Strided } from './strided.js';

/** out = f(a), element by element. */
function map(out: Strided, a: Strided, f: (a: number) => number): void {
  const [so, sa] = [out.step, a.step];
  forEachRow([out, a], ([o = 0, p = 0], length) => {
    for (let n = 0; n < length; n++) out.store(o + n * so, f(a.load(p + n * sa)));
  });
}

/** out = f(a, b), element by element. */
function map2(out: Strided, a: Strided, b: Strided, f: (a: number, b: number) => number): void {
  const [so, sa, sb] = [out.step, a.step, b.step];
  forEachRow([out, a, b], ([o = 0, p = 0, q = 0], length) => {
    for (let n = 0; n < length; n++) out.store(o + n * so, f(a.load(p + n * sa), b.load(q + n * sb)));
  });
}

export const fill: ReferenceKernel<'fill_f32'> = ({ out }, { value }) => map(out, out, () => value);

export const copy: ReferenceKernel<'copy_f32'> = ({ out, a }) => map(out, a, (x) => x);

/** out = scale·a + shift */
export const affine: ReferenceKernel<'affine_f32'> = ({ out, a }, { scale, shift }) =>
  map(out, a, (x) => scale * x + shift);

export const unary: ReferenceKernel<'unary_f32'> = ({ out, a }, { op }) =>
  map(out, a, chosen('unary_f32', unaryOps, unaryFunctions, op).value);

/** da = dout · f'(a) */
export const unaryBackward: ReferenceKernel<'unary_backward_f32'> = ({ da, a, dout }, { op }) => {
  const { derivative } = chosen('unary_backward_f32', unaryOps, unaryFunctions, op);
  map2(da, a, dout, (x, dy) => dy * derivative(x));
};

export const binary: ReferenceKernel<'binary_f32'> = ({ out, a, b }, { op }) =>
  map2(out, a, b, chosen('binary_f32', binaryOps, binaryFunctions, op));

/** out = condition ? a : b, by selection: what is not chosen has no influence. */
export const select: ReferenceKernel<'select_f32'> = ({ out, condition, a, b }) => {
  const [so, sc, sa, sb] = [out.step, condition.step, a.step, b.step];
  forEachRow([out, condition, a, b], ([o = 0, c = 0, p = 0, q = 0], length) => {
    for (let n = 0; n < length; n++) {
      const yes = condition.load(c + n * sc) !== 0;
      out.store(o + n * so, yes ? a.load(p + n * sa) : b.load(q + n * sb));
    }
  });
};

/** Which columns of a row survive dropout, and by how much the survivors grow. */
export interface DropoutRow {
  keep(column: number): boolean;
  readonly growth: number;
}

/** Row `row` of the mask that `rate`, `seed` and `stream` name (dropout.ts). */
export function dropoutRow(rate: number, seed: number, stream: number, row: number): DropoutRow {
  if (!(rate >= 0 && rate < 1)) throw new BackendError(`dropout: expected rate in [0, 1), got ${rate}`, { rate });
  const key = dropoutRowKey(seed, stream, row);
  const threshold = Math.round(rate * 2 ** 24);
  return { keep: (column) => dropoutKeep(key, column, threshold), growth: 1 / (1 - rate) };
}

export const dropout: ReferenceKernel<'dropout_f32'> = ({ out, a }, { rate, seed, stream }) => {
  const { keep, growth } = dropoutRow(rate, seed, stream, 0);
  const N = a.shape[0] as number;
  for (let n = 0; n < N; n++) out.store(out.position(n), keep(n) ? a.at(n) * growth : 0);
};
