/** The letters of one attention call, and what is broadcast to them. Next: operands.ts. */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { expand } from '../tensor/views.js';

/** The letters of one call. */
export interface AttentionSizes {
  readonly B: number;
  readonly H: number;
  readonly G: number;
  readonly L: number;
  readonly S: number;
  readonly D: number;
  readonly Dv: number;
}

/** `given` broadcast to `shape`; throws ShapeError where it does not fit. */
export function spread(name: string, label: string, given: Tensor, shape: readonly number[]): Tensor {
  const fits = given.shape.every(
    (size, axis) => size === 1 || size === shape[axis + shape.length - given.shape.length],
  );
  if (!fits || given.shape.length > 4) {
    throw new ShapeError(
      `${name}: expected ${label} broadcastable to ${label === 'mask' || label === 'bias' ? '[B, H, L, S]' : '[B, H, L, R]'} = ${formatShape(shape)}, got ${formatShape(given.shape)}`,
    );
  }
  return expand(given, shape);
}
