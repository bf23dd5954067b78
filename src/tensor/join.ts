/** Joining tensors along an axis, and taking one apart. `split` copies nothing. */

import { ShapeError } from '../core/errors.js';
import { formatShape, sameShape } from '../core/shape.js';
import { checkAxis } from './axes.js';
import { defineOperation, type Outputs } from './operation.js';
import { allocate, type Tensor } from './tensor.js';
import { narrowed } from './views.js';

/** Copies pieces side by side into a fresh tensor; an absent piece becomes zeros. */
function joined(
  like: Tensor,
  shape: readonly number[],
  axis: number,
  pieces: readonly (Tensor | undefined)[],
  sizes: readonly number[],
): Tensor {
  const out = allocate(like.backend, 'f32', shape);
  let start = 0;
  pieces.forEach((piece, at) => {
    const end = start + (sizes[at] as number);
    const place = narrowed(out, { axis, start, end });
    if (piece === undefined) like.backend.run('fill_f32', { out: place }, { value: 0 });
    else like.backend.run('copy_f32', { out: place, a: piece }, {});
    start = end;
  });
  return out;
}

/** Windows of the given sizes, one after the other. */
function pieces(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  let start = 0;
  return sizes.map((size) => {
    const piece = narrowed(x, { axis, start, end: start + size });
    start += size;
    return piece;
  });
}

const sizesAlong = (tensors: readonly Tensor[], axis: number): number[] => tensors.map((x) => x.shape[axis] as number);

const concatOperation = defineOperation({
  name: 'concat',
  forward: (tensors: readonly Tensor[], axis: number) => {
    const [first] = tensors as readonly [Tensor];
    const sizes = sizesAlong(tensors, axis);
    const shape = [...first.shape];
    shape[axis] = sizes.reduce((total, size) => total + size, 0);
    return { outputs: [joined(first, shape, axis, tensors, sizes)] };
  },
  backward: ({ inputs, options: axis }, [dout]) => pieces(dout, axis, sizesAlong(inputs, axis)),
});

/**
 * Tensors side by side along an axis; all other axes must agree.
 * @throws ShapeError when they do not.
 */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new ShapeError('concat: expected at least one tensor, got none');
  const at = checkAxis('concat', first, axis);
  for (const x of tensors) {
    const aligned = x.shape.map((size, other) => (other === at ? first.shape[at] : size) as number);
    if (!sameShape(aligned, first.shape)) {
      throw new ShapeError(
        `concat: expected every shape to match ${formatShape(first.shape)} except on axis ${axis}, got ${formatShape(x.shape)}`,
        { shapes: tensors.map(({ shape }) => shape) },
      );
    }
  }
  return concatOperation(tensors, at)[0];
}

interface SplitOptions {
  readonly axis: number;
  readonly sizes: readonly number[];
}

const splitOperation = defineOperation({
  name: 'split',
  forward: ([x]: readonly [Tensor], { axis, sizes }: SplitOptions) => ({
    outputs: pieces(x, axis, sizes) as unknown as Outputs,
  }),
  backward: ({ inputs: [x], options: { axis, sizes } }, gradients) => [joined(x, x.shape, axis, gradients, sizes)],
});

/** Views of consecutive parts of an axis; the sizes must add up to it. */
export function split(x: Tensor, sizes: readonly number[], axis: number): readonly Tensor[] {
  const at = checkAxis('split', x, axis);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (sizes.length === 0 || total !== x.shape[at]) {
    throw new ShapeError(`split: expected sizes that add up to ${x.shape[at]}, got ${formatShape(sizes)}`, {
      shape: x.shape,
    });
  }
  return splitOperation([x], { axis: at, sizes });
}
