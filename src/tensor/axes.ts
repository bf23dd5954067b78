/** Axis arguments as users write them: checked, and counted from the front. */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import type { Tensor } from './tensor.js';

/** An axis counted from the front; `rank` defaults to that of x. */
export function checkAxis(name: string, x: Tensor, axis: number, rank = x.shape.length): number {
  const at = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(at) || at < 0 || at >= rank) {
    throw new ShapeError(
      `${name}: expected an axis in [${-rank}, ${rank - 1}] for shape ${formatShape(x.shape)}, got ${axis}`,
    );
  }
  return at;
}

/** Distinct axes in ascending order; undefined means all of them. */
export function checkAxes(name: string, x: Tensor, axes: number | readonly number[] | undefined): readonly number[] {
  if (axes === undefined) return x.shape.map((_, axis) => axis);
  if (typeof axes === 'number') return [checkAxis(name, x, axes)];
  const sorted = axes.map((axis) => checkAxis(name, x, axis)).sort((a, b) => a - b);
  if (new Set(sorted).size !== sorted.length) {
    throw new ShapeError(`${name}: expected distinct axes, got ${formatShape(axes)}`);
  }
  return sorted;
}
