/**
 * Tensors from values, constants and random numbers, and the default backend they are made on.
 */

import type { Backend, DType } from '../backend/contract.js';
import { ShapeError, StateError } from '../core/errors.js';
import { formatShape, sizeOf } from '../core/shape.js';
import { allocate, type Tensor } from './tensor.js';

/** Numbers in nested arrays, one level an axis. */
export type NestedArray = number | boolean | readonly NestedArray[];

export interface CreateOptions {
  /** Default: i32 and u8 for typed arrays of those kinds, else f32. */
  readonly dtype?: DType;
  /** Default: what `setBackend` was given. */
  readonly backend?: Backend;
  /** Default false. True makes a parameter: `backward` fills its `grad`, and no scope frees it. */
  readonly requiresGrad?: boolean;
}

/** What the random fills need of `core/random.ts`'s RandomStream. */
export interface RandomSource {
  uniform(): number;
  normal(): number;
}

let defaultBackend: Backend | undefined;

/** Sets the backend on which tensors are made when none is given. */
export function setBackend(backend: Backend): void {
  defaultBackend = backend;
}

/** @throws StateError when `setBackend` was not called. */
export function getBackend(): Backend {
  if (defaultBackend === undefined) {
    throw new StateError('getBackend: expected a backend, got none; call setBackend(await loadBackend()) first');
  }
  return defaultBackend;
}

function make(shape: readonly number[], options: CreateOptions, fallback: DType = 'f32'): Tensor {
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    throw new ShapeError(`tensor: expected whole, non-negative sizes, got ${formatShape(shape)}`, { shape });
  }
  const out = allocate(options.backend ?? getBackend(), options.dtype ?? fallback, shape);
  out.requiresGrad = options.requiresGrad ?? false;
  return out;
}

function nestedShape(values: NestedArray): number[] {
  const shape: number[] = [];
  for (let level = values; Array.isArray(level); level = level[0] as NestedArray) {
    shape.push(level.length);
    if (level.length === 0) break;
  }
  return shape;
}

function flatten(values: NestedArray, shape: readonly number[], depth: number, into: number[]): void {
  if (!Array.isArray(values)) {
    if (depth !== shape.length) throw raggedError(shape, depth, 1);
    into.push(Number(values));
    return;
  }
  if (values.length !== shape[depth]) throw raggedError(shape, depth, values.length);
  for (const part of values) flatten(part, shape, depth + 1, into);
}

function raggedError(shape: readonly number[], depth: number, length: number): ShapeError {
  return new ShapeError(
    `tensor: expected nested arrays of one shape = ${formatShape(shape)}, got length ${length} at depth ${depth}`,
  );
}

function dtypeOf(values: unknown): DType {
  if (values instanceof Int32Array) return 'i32';
  return values instanceof Uint8Array ? 'u8' : 'f32';
}

/**
 * A tensor holding these values: nested arrays, or a flat array with a shape (row-major).
 * @throws ShapeError when the values are ragged or do not fill the shape.
 * @example
 * const ids = tensor(Int32Array.of(3, 1, 4), [1, 3]); // i32
 */
export function tensor(
  values: NestedArray | ArrayLike<number>,
  shape?: readonly number[],
  options: CreateOptions = {},
): Tensor {
  let flat: ArrayLike<number>;
  let full: readonly number[];
  if (ArrayBuffer.isView(values)) {
    flat = values as unknown as ArrayLike<number>;
    full = shape ?? [flat.length];
  } else {
    const nested = values as NestedArray;
    const found = nestedShape(nested);
    const numbers: number[] = [];
    flatten(nested, found, 0, numbers);
    flat = numbers;
    full = shape ?? found;
  }
  if (sizeOf(full) !== flat.length) {
    throw new ShapeError(`tensor: expected ${sizeOf(full)} values for shape ${formatShape(full)}, got ${flat.length}`, {
      shape: full,
    });
  }
  const out = make(full, options, dtypeOf(values));
  out.write(flat);
  return out;
}

/** Every element `value`. */
export function full(shape: readonly number[], value: number, options: CreateOptions = {}): Tensor {
  const out = make(shape, options);
  if (out.dtype === 'f32') out.backend.run('fill_f32', { out }, { value });
  else out.write(new Float64Array(out.size).fill(value));
  return out;
}

export function zeros(shape: readonly number[], options?: CreateOptions): Tensor {
  return full(shape, 0, options);
}

export function ones(shape: readonly number[], options?: CreateOptions): Tensor {
  return full(shape, 1, options);
}

function drawn(shape: readonly number[], draw: () => number, options: CreateOptions): Tensor {
  const out = make(shape, options);
  out.write(Float64Array.from({ length: out.size }, draw));
  return out;
}

export interface UniformOptions extends CreateOptions {
  readonly random: RandomSource;
  readonly low?: number;
  readonly high?: number;
}

/** Independent uniform numbers in [low, high), by default [0, 1). */
export function uniform(shape: readonly number[], options: UniformOptions): Tensor {
  const { random, low = 0, high = 1 } = options;
  return drawn(shape, () => low + (high - low) * random.uniform(), options);
}

export interface NormalOptions extends CreateOptions {
  readonly random: RandomSource;
  readonly mean?: number;
  readonly std?: number;
}

/** Independent normal numbers, by default of mean 0 and standard deviation 1. */
export function normal(shape: readonly number[], options: NormalOptions): Tensor {
  const { random, mean = 0, std = 1 } = options;
  return drawn(shape, () => mean + std * random.normal(), options);
}
