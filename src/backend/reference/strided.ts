/**
 * How the reference kernels see an operand: a typed array with an offset and strides. Loads and stores only; the sizes
 * were checked before (signature.ts). Arithmetic happens in float64, and a store rounds to the array's own type.
 */

import type { View } from '../contract.js';

export type NumberArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** A strided window of rank <= 4 for `position`; `load` and `store` work for any rank. */
export class Strided {
  readonly data: NumberArray;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly #s0: number;
  readonly #s1: number;
  readonly #s2: number;
  readonly #s3: number;

  constructor(data: NumberArray, view: View) {
    this.data = data;
    this.offset = view.offset;
    this.shape = view.shape;
    this.strides = view.strides;
    this.#s0 = view.strides[0] ?? 0;
    this.#s1 = view.strides[1] ?? 0;
    this.#s2 = view.strides[2] ?? 0;
    this.#s3 = view.strides[3] ?? 0;
  }

  /** Distance between neighbours on the last axis. */
  get step(): number {
    return this.strides[this.strides.length - 1] ?? 0;
  }

  /** Where element (i, j, k, l) lies in `data`; indices left out count as 0. */
  position(i = 0, j = 0, k = 0, l = 0): number {
    return this.offset + i * this.#s0 + j * this.#s1 + k * this.#s2 + l * this.#s3;
  }

  load(position: number): number {
    return this.data[position] as number;
  }

  store(position: number, value: number): void {
    this.data[position] = value;
  }

  /** Element (i, j, k, l). */
  at(i = 0, j = 0, k = 0, l = 0): number {
    return this.load(this.position(i, j, k, l));
  }

  /** The run along the last axis that starts at `position`, copied to `into`, whose length it fills. */
  readRow(position: number, into: Float64Array): Float64Array {
    const step = this.step;
    for (let n = 0; n < into.length; n++) into[n] = this.load(position + n * step);
    return into;
  }

  /** The inverse of `readRow`. */
  writeRow(position: number, from: Float64Array): void {
    const step = this.step;
    for (let n = 0; n < from.length; n++) this.store(position + n * step, from[n] as number);
  }
}

/**
 * Calls `visit(positions, length)` for each run along the last axis of views of one shape; `positions[v]` is where the
 * run starts in view v. The array is reused between calls.
 */
export function forEachRow(
  views: readonly Strided[],
  visit: (positions: readonly number[], length: number) => void,
): void {
  const shape = views[0]?.shape ?? [];
  if (shape.includes(0)) return;
  const positions = views.map(({ offset }) => offset);
  const length = shape[shape.length - 1] ?? 1;
  const descend = (axis: number): void => {
    if (axis >= shape.length - 1) {
      visit(positions, length);
      return;
    }
    const size = shape[axis] as number;
    for (let index = 0; index < size; index++) {
      descend(axis + 1);
      shift(positions, views, axis, 1);
    }
    shift(positions, views, axis, -size);
  };
  descend(0);
}

function shift(positions: number[], views: readonly Strided[], axis: number, count: number): void {
  for (let v = 0; v < positions.length; v++)
    positions[v] = (positions[v] as number) + count * ((views[v] as Strided).strides[axis] as number);
}
