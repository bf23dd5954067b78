/**
 * Arithmetic on strided windows shared by the operations: broadcasting by stride 0, folding neighbouring axes into one,
 * packed copies, and the way back (summing gradients over broadcast axes). Next: elementwise.ts, reduce.ts.
 */

import type { View } from '../backend/contract.js';
import { reduceOps } from '../backend/kernels.generated.js';
import { ShapeError } from '../core/errors.js';
import { formatShape, isPacked, sameShape, sizeOf } from '../core/shape.js';
import { allocate, type Tensor } from './tensor.js';

/** A window on a tensor's memory that is no handle: kernels take these directly. */
export function viewOf(x: View, shape: readonly number[], strides: readonly number[]): View {
  return { buffer: x.buffer, offset: x.offset, shape, strides };
}

/** Shape that a and b broadcast to (trailing axes aligned; sizes equal or 1). */
export function broadcastShape(name: string, a: readonly number[], b: readonly number[]): readonly number[] {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let axis = 1; axis <= rank; axis++) {
    const x = a[a.length - axis] ?? 1;
    const y = b[b.length - axis] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new ShapeError(
        `${name}: expected b to broadcast with a ${formatShape(a)}, got ${formatShape(b)}; axis -${axis} differs`,
        { a, b },
      );
    }
    shape[rank - axis] = x === 1 ? y : x;
  }
  return shape;
}

/** x seen at a larger shape that it broadcasts to. */
export function broadcastView(x: View, shape: readonly number[]): View {
  if (sameShape(x.shape, shape)) return x;
  const skip = shape.length - x.shape.length;
  const strides = shape.map((_, axis) => {
    const from = axis - skip;
    return from < 0 || x.shape[from] === 1 ? 0 : (x.strides[from] as number);
  });
  return viewOf(x, shape, strides);
}

/** Stride of the axes [start, end) walked as one axis; undefined when no single stride does. */
function foldedStride(x: View, start: number, end: number): number | undefined {
  let stride: number | undefined;
  let span = 1;
  for (let axis = end - 1; axis >= start; axis--) {
    const size = x.shape[axis] as number;
    if (size === 1) continue;
    if (stride === undefined) stride = x.strides[axis] as number;
    else if (x.strides[axis] !== stride * span) return undefined;
    span *= size;
  }
  return stride ?? 1;
}

/** x with its axes folded into groups that end at `ends`; undefined when the strides forbid it. */
export function foldAxes(x: View, ends: readonly number[]): View | undefined {
  const shape: number[] = [];
  const strides: number[] = [];
  let start = 0;
  for (const end of ends) {
    const stride = foldedStride(x, start, end);
    if (stride === undefined) return undefined;
    shape.push(sizeOf(x.shape.slice(start, end)));
    strides.push(stride);
    start = end;
  }
  return viewOf(x, shape, strides);
}

/** A packed f32 copy. */
export function packedCopy(x: Tensor): Tensor {
  const out = allocate(x.backend, x.dtype, x.shape);
  if (x.dtype === 'f32') x.backend.run('copy_f32', { out, a: x }, {});
  else out.write(x.toArray());
  return out;
}

/** x itself when packed, else a packed copy. */
export function packed(x: Tensor): Tensor {
  return isPacked(x.shape, x.strides) ? x : packedCopy(x);
}

/** `foldAxes`, through a packed copy where needed. */
export function folded(x: Tensor, ends: readonly number[]): View {
  return foldAxes(x, ends) ?? (foldAxes(packedCopy(x), ends) as View);
}

/** All axes but the last as one: [M, N]. */
export function rowsOf(x: Tensor): View {
  const rank = x.shape.length;
  return folded(x, [rank - 1, rank]);
}

/** Everything as one axis: [N]. */
export function flatOf(x: Tensor): View {
  return folded(x, [x.shape.length]);
}

export type ReduceName = (typeof reduceOps)[number];

/** Reduces over axes that are sorted and distinct, keeping them with size 1; one kernel call a run of axes. */
export function reduceKept(x: Tensor, axes: readonly number[], name: ReduceName): Tensor {
  let result = x;
  let at = axes.length;
  while (at > 0) {
    const end = (axes[at - 1] as number) + 1;
    let start = end - 1;
    at--;
    while (at > 0 && axes[at - 1] === start - 1) {
      start--;
      at--;
    }
    result = reduceRun(result, start, end, name);
  }
  return result;
}

function reduceRun(x: Tensor, start: number, end: number, name: ReduceName): Tensor {
  const a = folded(x, [start, end, x.shape.length]); // [M, K, N]
  const out = allocate(
    x.backend,
    'f32',
    x.shape.map((size, axis) => (axis >= start && axis < end ? 1 : size)),
  );
  const [M, , N] = a.shape as readonly [number, number, number];
  x.backend.run('reduce_f32', { out: viewOf(out, [M, N], [N, 1]), a }, { op: reduceOps.indexOf(name) });
  return out;
}

/** Sums a gradient over the axes along which an input of this shape was broadcast. */
export function sumToShape(gradient: Tensor, shape: readonly number[]): Tensor {
  if (sameShape(gradient.shape, shape)) return gradient;
  const skip = gradient.shape.length - shape.length;
  const axes: number[] = [];
  gradient.shape.forEach((size, axis) => {
    if (axis < skip || (shape[axis - skip] === 1 && size !== 1)) axes.push(axis);
  });
  const kept = axes.length === 0 ? gradient : reduceKept(gradient, axes, 'sum');
  return kept.window(shape, kept.strides.slice(skip), kept.offset);
}
