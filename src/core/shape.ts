/**
 * Arithmetic on shapes and strides, in elements. Pure numbers: no buffers here.
 */

export type Shape = readonly number[];

/** Number of elements; 1 for the empty shape. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const axis of shape) size *= axis;
  return size;
}

/** Row-major strides of a packed array of this shape. */
export function packedStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis] as number;
  }
  return strides;
}

/** True when the strides walk the elements in row-major order without gaps; axes of length 1 may have any stride. */
export function isPacked(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number;
    if (size !== 1 && strides[axis] !== step) return false;
    step *= size;
  }
  return true;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** `[2, 3, 4]`, as error messages print it. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}
