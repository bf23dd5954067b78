/**
 * A conformance case: one kernel call as plain data, to be placed on any backend in any layout, and how close its
 * outputs must come to the float64 reference. Cases live in cases/, the runner in run.ts.
 */

import type { DType, KernelName, Scalars } from '../../src/backend/contract.js';
import { RandomStream } from '../../src/core/random.js';
import { sizeOf } from '../../src/core/shape.js';

/** Values of an operand that is read. `stored` has 1 where the view repeats an axis with stride 0. */
export interface Input {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly stored: readonly number[];
  readonly values: ArrayLike<number>;
}

/** |got - truth| <= absolute + relative·|truth| + bound, element by element. */
export interface Tolerance {
  readonly absolute?: number;
  readonly relative?: number;
  /** Componentwise bound, packed like the output. */
  readonly bound?: (truth: ArrayLike<number>) => ArrayLike<number>;
}

export interface Case<K extends KernelName = KernelName> {
  readonly kernel: K;
  readonly label: string;
  readonly inputs: Readonly<Record<string, Input>>;
  /** Shapes of the operands that are only written; those left out are not passed. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
  readonly scalars: Scalars<K>;
  /** By output; `{}` asks for equal bits. */
  readonly tolerance: Readonly<Record<string, Tolerance>>;
}

/** Declares a case with its scalars checked against the kernel. */
export function kernelCase<K extends KernelName>(it: Case<K>): Case {
  return it as unknown as Case;
}

/** Bits must be equal. */
export const exact: Tolerance = {};

export function within(absolute: number, relative = 0): Tolerance {
  return { absolute, relative };
}

/** The case with `room` more for every output, for what a comment has to explain. */
export function widened(it: Case, room: number): Case {
  const widen = ([name, given]: [string, Tolerance]): [string, Tolerance] => [
    name,
    { ...given, absolute: (given.absolute ?? 0) + room },
  ];
  return { ...it, tolerance: Object.fromEntries(Object.entries(it.tolerance).map(widen)) };
}

export interface InputOptions {
  /** Axes to repeat with stride 0. */
  readonly broadcast?: readonly number[];
  readonly dtype?: DType;
}

/** An input whose stored elements come from `value(index)`, made when first asked for. */
export function input(shape: readonly number[], value: (index: number) => number, options: InputOptions = {}): Input {
  return inputFrom(shape, () => value, options);
}

/** The same where getting ready costs time, too: `prepare` runs once, before the first element. */
export function inputFrom(
  shape: readonly number[],
  prepare: () => (index: number) => number,
  { broadcast = [], dtype = 'f32' }: InputOptions = {},
): Input {
  const stored = shape.map((size, axis) => (broadcast.includes(axis) ? Math.min(size, 1) : size));
  let values: ArrayLike<number> | undefined;
  const make = (): ArrayLike<number> => {
    const value = prepare();
    const made = Array.from({ length: sizeOf(stored) }, (_, index) => value(index));
    return dtype === 'f32' ? Float32Array.from(made) : made;
  };
  return {
    dtype,
    shape,
    stored,
    get values() {
      values ??= make();
      return values;
    },
  };
}

/** Normal numbers of the given standard deviation around `mean`. */
export function normal(
  shape: readonly number[],
  seed: number,
  options: InputOptions & { readonly scale?: number; readonly mean?: number } = {},
): Input {
  const { scale = 1, mean = 0 } = options;
  const prepare = (): (() => number) => {
    const random = new RandomStream(seed);
    return () => mean + scale * random.normal();
  };
  return inputFrom(shape, prepare, options);
}

/** Whole numbers in [low, high). */
export function integers(
  shape: readonly number[],
  seed: number,
  [low, high]: readonly [number, number],
  options: InputOptions = {},
): Input {
  const prepare = (): (() => number) => {
    const random = new RandomStream(seed);
    return () => low + random.integer(high - low);
  };
  return inputFrom(shape, prepare, options);
}

/** The given numbers. */
export function listed(shape: readonly number[], values: readonly number[], options: InputOptions = {}): Input {
  return input(shape, (index) => values[index] as number, options);
}
