/**
 * Checks a kernel call against its signature string and flattens it for the C++ side.
 *
 * Every backend calls `checkCall` first, so all of them refuse the same calls with the same words. `encodeCall` writes
 * what native/call.h reads. Nothing here touches memory.
 */

import { BackendError, DTypeError, ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import type { DType, KernelName, View } from './contract.js';
import { kernelTable } from './kernels.generated.js';

/** One operand of a signature, parsed. `dims` is null for `[...]`. */
export interface OperandSignature {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly string[] | null;
  readonly written: boolean;
  readonly read: boolean;
  readonly mayCoincide: boolean;
  readonly optional: boolean;
}

export interface KernelSignature {
  readonly name: KernelName;
  /** Position of the kernel in native/kernels.def. */
  readonly index: number;
  readonly operands: readonly OperandSignature[];
  readonly scalars: readonly string[];
}

/** Sizes bound by a call, by letter; `shape` is what `[...]` bound. */
export interface BoundSizes {
  readonly sizes: Readonly<Record<string, number>>;
  readonly shape: readonly number[] | undefined;
}

const maxRank = 8;

function parseOperand(word: string): OperandSignature {
  const parts = /^(\w+):(f32|i32|u8)\[(.*)\](.*)$/.exec(word);
  if (!parts) throw new BackendError(`kernels.def: expected name:dtype[dims]flags, got ${word}`);
  const [, name, dtype, dims, flags] = parts as unknown as [string, string, DType, string, string];
  return {
    name,
    dtype,
    dims: dims === '...' ? null : dims.split(','),
    written: /[!+]/.test(flags),
    read: !flags.includes('!'),
    mayCoincide: flags.includes('='),
    optional: flags.includes('?'),
  };
}

/** All kernels, parsed once. */
export const signatures: Readonly<Record<KernelName, KernelSignature>> = Object.fromEntries(
  Object.entries(kernelTable).map(([name, { operands, scalars }], index) => [
    name,
    { name, index, operands: operands.split(' ').map(parseOperand), scalars: scalars === '' ? [] : scalars.split(' ') },
  ]),
) as unknown as Record<KernelName, KernelSignature>;

type Named<T> = Readonly<Record<string, T | undefined>>;

/** Last element index a view reaches, plus one; 0 for an empty view. */
export function viewExtent(view: View): number {
  let last = view.offset;
  for (let axis = 0; axis < view.shape.length; axis++) {
    const size = view.shape[axis] as number;
    if (size === 0) return 0;
    last += (size - 1) * (view.strides[axis] as number);
  }
  return last + 1;
}

function checkView(kernel: string, operand: OperandSignature, view: View): void {
  const { buffer, offset, shape, strides } = view;
  const label = `${kernel}: expected ${operand.name}`;
  if (buffer.dtype !== operand.dtype)
    throw new DTypeError(`${label} ${operand.dtype}, got ${buffer.dtype}`, { operand: operand.name });
  const rank = operand.dims?.length;
  if (shape.length !== strides.length || shape.length > maxRank || (rank !== undefined && shape.length !== rank)) {
    throw new ShapeError(
      `${label} of rank ${rank ?? `<= ${maxRank}`}, got shape ${formatShape(shape)} with ${strides.length} strides`,
      { shape },
    );
  }
  const whole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
  if (!whole(offset) || !shape.every(whole) || !strides.every(whole)) {
    throw new ShapeError(
      `${label} with whole, non-negative offset, sizes and strides, got offset ${offset}, shape ${formatShape(shape)}, strides ${formatShape(strides)}`,
      { shape, strides, offset },
    );
  }
  const extent = viewExtent(view);
  if (!(extent <= buffer.length)) {
    throw new ShapeError(`${label} to fit its buffer of ${buffer.length} elements, got an extent of ${extent}`, {
      shape,
      strides,
      offset,
    });
  }
  if (operand.written && extent > 0 && shape.some((size, axis) => size > 1 && strides[axis] === 0)) {
    throw new ShapeError(`${label} without broadcast axes because it is written, got strides ${formatShape(strides)}`, {
      shape,
      strides,
    });
  }
}

function symbolic(operand: OperandSignature, sizes: Readonly<Record<string, number>>): string {
  const dims = operand.dims ?? [];
  return `[${dims.join(', ')}] = [${dims.map((dim) => sizes[dim] ?? '*').join(', ')}]`;
}

function bindSizes(kernel: string, operand: OperandSignature, view: View, sizes: Record<string, number>): void {
  operand.dims?.forEach((dim, axis) => {
    const got = view.shape[axis] as number;
    const literal = Number(dim);
    const wanted = Number.isNaN(literal) ? sizes[dim] : literal;
    if (wanted === undefined) sizes[dim] = got;
    else if (wanted !== got) {
      throw new ShapeError(
        `${kernel}: expected ${operand.name} ${symbolic(operand, sizes)}, got ${formatShape(view.shape)}; ${dim} differs`,
        { operand: operand.name, shape: view.shape },
      );
    }
  });
}

function sameView(a: View, b: View): boolean {
  return (
    a.offset === b.offset &&
    a.strides.every((stride, axis) => stride === b.strides[axis] || (a.shape[axis] as number) <= 1)
  );
}

function checkOverlap(signature: KernelSignature, views: readonly (View | undefined)[]): void {
  signature.operands.forEach((output, i) => {
    const target = views[i];
    if (!output.written || target === undefined) return;
    views.forEach((other, j) => {
      if (j === i || other === undefined || other.buffer !== target.buffer) return;
      const disjoint = viewExtent(other) <= target.offset || viewExtent(target) <= other.offset;
      if (disjoint || (output.mayCoincide && sameView(target, other))) return;
      const name = signature.operands[j]?.name;
      throw new ShapeError(
        `${signature.name}: expected ${output.name} apart from ${name}, got overlapping views; write to fresh memory`,
        { output: output.name, input: name },
      );
    });
  });
}

/** Throws unless the views fit the kernel's signature; returns the sizes they bind. */
export function checkCall(kernel: KernelName, operands: Named<View>, scalars: Named<number>): BoundSizes {
  const signature = signatures[kernel];
  const sizes: Record<string, number> = {};
  let shape: readonly number[] | undefined;
  const views = signature.operands.map((operand) => {
    const view = operands[operand.name];
    if (view === undefined) {
      if (operand.optional) return undefined;
      throw new ShapeError(`${kernel}: expected ${operand.name}, got undefined`);
    }
    checkView(kernel, operand, view);
    bindSizes(kernel, operand, view, sizes);
    if (operand.dims === null) {
      shape ??= view.shape;
      if (shape.length !== view.shape.length || !shape.every((size, axis) => size === view.shape[axis])) {
        throw new ShapeError(
          `${kernel}: expected ${operand.name} ${formatShape(shape)}, got ${formatShape(view.shape)}`,
          { operand: operand.name, shape: view.shape },
        );
      }
    }
    return view;
  });
  checkOverlap(signature, views);
  for (const scalar of signature.scalars) {
    if (typeof scalars[scalar] !== 'number')
      throw new BackendError(`${kernel}: expected number ${scalar}, got ${String(scalars[scalar])}`);
  }
  return { sizes, shape };
}

/** Operands of one call; as in native/call.h. */
export const maxOperands = 32;

/** Room for the numbers of the longest call, operands of rank 8 and 16 scalars; as in native/wasm.cpp. */
export const maxNumbers = maxOperands * 19 + 16;

/**
 * Writes a checked call as float64 numbers for native/call.h and returns how many were written.
 * Layout: for each operand `present, offset, rank, sizes…, strides…` (absent: a single 0); then the scalars.
 */
export function encodeCall(
  kernel: KernelName,
  operands: Named<View>,
  scalars: Named<number>,
  numbers: Float64Array,
): number {
  const signature = signatures[kernel];
  let at = 0;
  for (const { name } of signature.operands) {
    const view = operands[name];
    numbers[at++] = view === undefined ? 0 : 1;
    if (view === undefined) continue;
    numbers[at++] = view.offset;
    numbers[at++] = view.shape.length;
    for (const size of view.shape) numbers[at++] = size;
    for (const stride of view.strides) numbers[at++] = stride;
  }
  for (const name of signature.scalars) numbers[at++] = scalars[name] as number;
  return at;
}
