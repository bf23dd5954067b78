/** When a strided window can be seen at another shape without a copy. Pure numbers; views.ts uses it. */

import { packedStrides } from '../core/shape.js';

interface Axis {
  readonly size: number;
  readonly stride: number;
}

/**
 * Strides that show the same elements in row-major order at another shape of equal size, or undefined when only a copy
 * can. Matches groups of old and new axes of equal product; old axes of one group must follow each other without gaps.
 */
export function reshapedStrides(
  shape: readonly number[],
  strides: readonly number[],
  wanted: readonly number[],
): number[] | undefined {
  if (shape.includes(0)) return packedStrides(wanted);
  const axes = shape.flatMap((size, axis) => (size === 1 ? [] : [{ size, stride: strides[axis] as number }]));
  const result = new Array<number>(wanted.length).fill(1);
  let to = 0;
  for (let from = 0; from < axes.length; ) {
    let { size, stride } = axes[from++] as Axis;
    const start = to;
    let product = wanted[to++] as number;
    while (size !== product) {
      if (product < size) product *= wanted[to++] as number;
      else {
        const next = axes[from++] as Axis;
        if (stride !== next.size * next.stride) return undefined;
        size *= next.size;
        stride = next.stride;
      }
    }
    for (let axis = to - 1; axis >= start; axis--) {
      result[axis] = stride;
      stride *= wanted[axis] as number;
    }
  }
  return result;
}
