/**
 * Operations that look at the same memory through other strides; nothing is copied, except by `reshape` and
 * `contiguous` where the strides leave no other way. join.ts has `split` and `concat`.
 */

import { ShapeError } from '../core/errors.js';
import { formatShape, isPacked, packedStrides, sizeOf } from '../core/shape.js';
import { checkAxis } from './axes.js';
import { broadcastView, packedCopy, sumToShape } from './broadcast.js';
import { checkInputs, defineOperation } from './operation.js';
import { reshapedStrides } from './reshapedStrides.js';
import { allocate, type Tensor } from './tensor.js';

type One = readonly [Tensor];

function reshaped(x: Tensor, shape: readonly number[]): Tensor {
  const strides = reshapedStrides(x.shape, x.strides, shape);
  return strides === undefined
    ? packedCopy(x).window(shape, packedStrides(shape), 0)
    : x.window(shape, strides, x.offset);
}

const reshapeOperation = defineOperation({
  name: 'reshape',
  forward: ([x]: One, shape: readonly number[]) => ({ outputs: [reshaped(x, shape)] }),
  backward: ({ inputs: [x] }, [dout]) => [reshaped(dout, x.shape)],
});

/** Replaces one -1 by what is left over. */
function inferShape(x: Tensor, shape: readonly number[]): readonly number[] {
  const known = shape.reduce((product, size) => (size === -1 ? product : product * size), 1);
  const full = shape.includes(-1) ? shape.map((size) => (size === -1 ? x.size / known : size)) : shape;
  const whole = full.every((size) => Number.isSafeInteger(size) && size >= 0);
  if (!whole || sizeOf(full) !== x.size) {
    throw new ShapeError(
      `reshape: expected a shape of ${x.size} elements for ${formatShape(x.shape)}, got ${formatShape(shape)}`,
      { from: x.shape, to: shape },
    );
  }
  return full;
}

/**
 * The same elements in row-major order at another shape; one size may be -1. Copies only when the strides forbid a view.
 * @throws ShapeError when the element counts differ.
 */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  return reshapeOperation([x], inferShape(x, shape))[0];
}

function permuted(x: Tensor, order: readonly number[]): Tensor {
  const pick = (values: readonly number[]): number[] => order.map((axis) => values[axis] as number);
  return x.window(pick(x.shape), pick(x.strides), x.offset);
}

const permuteOperation = defineOperation({
  name: 'permute',
  forward: ([x]: One, order: readonly number[]) => ({ outputs: [permuted(x, order)] }),
  backward: ({ options: order }, [dout]) => {
    const inverse = new Array<number>(order.length);
    order.forEach((axis, at) => {
      inverse[axis] = at;
    });
    return [permuted(dout, inverse)];
  },
});

/** Reorders axes: axis i of the result is axis `order[i]` of x. */
export function permute(x: Tensor, order: readonly number[]): Tensor {
  const axes = order.map((axis) => checkAxis('permute', x, axis));
  if (new Set(axes).size !== x.shape.length || axes.length !== x.shape.length) {
    throw new ShapeError(
      `permute: expected every axis of ${formatShape(x.shape)} once, got order ${formatShape(order)}`,
    );
  }
  return permuteOperation([x], axes)[0];
}

/** Swaps two axes; negative axes count from the end. */
export function transpose(x: Tensor, a = -2, b = -1): Tensor {
  const order = x.shape.map((_, axis) => axis);
  const first = checkAxis('transpose', x, a);
  const second = checkAxis('transpose', x, b);
  order[first] = second;
  order[second] = first;
  return permuteOperation([x], order)[0];
}

/** Half-open range [start, end) of one axis. */
export interface Range {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
}

/** x narrowed to a range. */
export function narrowed(x: Tensor, { axis, start, end }: Range): Tensor {
  const shape = x.shape.map((size, at) => (at === axis ? end - start : size));
  return x.window(shape, x.strides, x.size === 0 || start === end ? 0 : x.offset + start * (x.strides[axis] as number));
}

const sliceOperation = defineOperation({
  name: 'slice',
  forward: ([x]: One, range: Range) => ({ outputs: [narrowed(x, range)] }),
  backward: ({ inputs: [x], options: range }, [dout]) => {
    const dx = allocate(x.backend, 'f32', x.shape);
    x.backend.run('fill_f32', { out: dx }, { value: 0 });
    x.backend.run('copy_f32', { out: narrowed(dx, range), a: dout }, {});
    return [dx];
  },
});

/** Elements [start, end) of one axis; negative numbers count from the end. */
export function slice(x: Tensor, axis: number, start: number, end?: number): Tensor {
  const at = checkAxis('slice', x, axis);
  const size = x.shape[at] as number;
  const from = start < 0 ? start + size : start;
  const to = end === undefined ? size : end < 0 ? end + size : end;
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to > size || from > to) {
    throw new ShapeError(
      `slice: expected 0 <= start <= end <= ${size} on axis ${axis}, got [${start}, ${end ?? size})`,
      {
        shape: x.shape,
      },
    );
  }
  return sliceOperation([x], { axis: at, start: from, end: to })[0];
}

/** One index of an axis; the axis goes away. */
export function select(x: Tensor, axis: number, index: number): Tensor {
  const at = checkAxis('select', x, axis);
  const size = x.shape[at] as number;
  const from = index < 0 ? index + size : index;
  if (!Number.isInteger(from) || from < 0 || from >= size) {
    throw new ShapeError(`select: expected an index below ${size} on axis ${axis}, got ${index}`, { shape: x.shape });
  }
  return squeeze(slice(x, at, from, from + 1), at);
}

const expandOperation = defineOperation({
  name: 'expand',
  forward: ([x]: One, shape: readonly number[]) => ({
    outputs: [x.window(shape, broadcastView(x, shape).strides, x.offset)],
  }),
  backward: ({ inputs: [x] }, [dout]) => [sumToShape(dout, x.shape)],
});

/** x repeated along axes of size 1 (and new leading axes) by stride 0; -1 keeps an axis. */
export function expand(x: Tensor, shape: readonly number[]): Tensor {
  const skip = shape.length - x.shape.length;
  const full = shape.map((size, axis) => (size === -1 ? (x.shape[axis - skip] ?? -1) : size));
  if (skip < 0 || !x.shape.every((size, axis) => size === 1 || size === full[axis + skip]) || full.includes(-1)) {
    throw new ShapeError(
      `expand: expected a shape that ${formatShape(x.shape)} broadcasts to, got ${formatShape(shape)}`,
    );
  }
  return expandOperation([x], full)[0];
}

/** Inserts an axis of size 1 at `axis`. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const at = checkAxis('unsqueeze', x, axis, x.shape.length + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** Removes an axis of size 1. */
export function squeeze(x: Tensor, axis: number): Tensor {
  const at = checkAxis('squeeze', x, axis);
  if (x.shape[at] !== 1) {
    throw new ShapeError(`squeeze: expected axis ${axis} of size 1, got shape ${formatShape(x.shape)}`);
  }
  return reshape(x, [...x.shape.slice(0, at), ...x.shape.slice(at + 1)]);
}

const contiguousOperation = defineOperation({
  name: 'contiguous',
  forward: ([x]: One) => ({ outputs: [packedCopy(x)] }),
  backward: (_, [dout]) => [dout],
});

/** x itself when it is packed (row-major without gaps), else a packed copy. */
export function contiguous(x: Tensor): Tensor {
  return isPacked(x.shape, x.strides) ? x : contiguousOperation([x])[0];
}

/** The same elements without their graph: gradients stop here. */
export function detach(x: Tensor): Tensor {
  checkInputs('detach', [x]);
  return x.alias();
}
