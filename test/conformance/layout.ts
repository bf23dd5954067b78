/**
 * Places packed values on a backend in every layout a view can have, with guard cells around and between them, and
 * reads them back.
 */

import type { Backend, DType, HostArray, View } from '../../src/backend/contract.js';
import { packedStrides, sizeOf } from '../../src/core/shape.js';
import type { Input } from './case.js';

export const layouts = ['packed', 'offset', 'gaps', 'transposed'] as const;
/** `heads last` swaps the middle axes of [B, H, L, D], as projections leave them. */
export type Layout = (typeof layouts)[number] | 'heads last';

/** Where the elements of a packed array go. */
interface Placement {
  readonly strides: number[];
  readonly offset: number;
  readonly length: number;
}

const guard: Readonly<Record<DType, number>> = { f32: 777.25, i32: 77_777, u8: 177 };

function placement(shape: readonly number[], layout: Layout): Placement {
  const size = sizeOf(shape);
  if (layout === 'packed') return { strides: packedStrides(shape), offset: 0, length: size };
  if (layout === 'offset') return { strides: packedStrides(shape), offset: 3, length: size + 5 };
  if (layout === 'gaps') {
    const roomy = shape.map((axis) => axis + 1);
    return { strides: packedStrides(roomy).map((stride) => 2 * stride), offset: 1, length: 2 * sizeOf(roomy) + 1 };
  }
  if (layout === 'heads last' && shape.length > 2) return { strides: headsLast(shape), offset: 2, length: size + 2 };
  return { strides: packedStrides([...shape].reverse()).reverse(), offset: 1, length: size + 2 };
}

function headsLast([B = 1, H = 1, L = 1, ...rest]: readonly number[]): number[] {
  const [b, l, h, ...inner] = packedStrides([B, L, H, ...rest]) as [number, number, number, ...number[]];
  return [b, h, l, ...inner];
}

/** Positions of all elements in row-major order. */
function positions(shape: readonly number[], strides: readonly number[], offset: number): Int32Array {
  const found = new Int32Array(sizeOf(shape)).fill(offset);
  let repeat = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const [size, stride] = [shape[axis] as number, strides[axis] as number];
    for (let index = 0; index < found.length; index++)
      found[index] = (found[index] as number) + (Math.floor(index / repeat) % size) * stride;
    repeat *= size;
  }
  return found;
}

/** An operand on a backend that knows what its cells should be. */
export class Placed {
  readonly view: View;
  readonly #backend: Backend;
  readonly #cells: Int32Array;
  readonly #original: Float64Array;

  /** Without values an output nobody wrote yet: guard values everywhere. */
  constructor(backend: Backend, spec: Omit<Input, 'values'> & { readonly values?: ArrayLike<number> }, layout: Layout) {
    const { strides, offset, length } = placement(spec.stored, layout);
    this.#backend = backend;
    this.#cells = positions(spec.stored, strides, offset);
    this.#original = new Float64Array(length).fill(guard[spec.dtype]);
    for (let index = 0; spec.values && index < this.#cells.length; index++)
      this.#original[this.#cells[index] as number] = spec.values[index] as number;
    const buffer = backend.alloc(spec.dtype, length);
    backend.write(buffer, 0, this.#original);
    const shown = spec.shape.map((size, axis) => (size === spec.stored[axis] ? (strides[axis] as number) : 0));
    this.view = { buffer, offset, shape: spec.shape, strides: shown };
  }

  #memory(): HostArray {
    return this.#backend.read(this.view.buffer, 0, this.#original.length);
  }

  /** The elements, packed. */
  values(): Float64Array {
    const memory = this.#memory();
    const values = new Float64Array(this.#cells.length);
    for (let index = 0; index < values.length; index++) values[index] = memory[this.#cells[index] as number] as number;
    return values;
  }

  /** First cell outside the elements that no longer holds what was there; -1 when all do. */
  strayWrite(): number {
    const memory = this.#memory();
    for (const cell of this.#cells) memory[cell] = this.#original[cell] as number;
    return firstDifference(memory, this.#original);
  }

  /** True when every cell still holds what was written. */
  untouched(): boolean {
    return firstDifference(this.#memory(), this.#original) === -1;
  }

  free(): void {
    this.#backend.free(this.view.buffer);
  }
}

function firstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  for (let index = 0; index < a.length; index++) if (!Object.is(a[index], b[index])) return index;
  return -1;
}
