/**
 * Compares a mechanism with its paper: the forward pass with a formula written in plain float64 numbers, the gradients
 * with central differences of that formula. Nothing of the library is used on the formula's side.
 */

import { expect } from 'vitest';
import type { Backend } from '../../src/backend/contract.js';
import { mix32 } from '../../src/backend/dropout.js';
import { sizeOf } from '../../src/core/shape.js';
import { backward } from '../../src/tensor/autograd.js';
import { tensor } from '../../src/tensor/create.js';
import { multiply } from '../../src/tensor/elementwise.js';
import { sum } from '../../src/tensor/reduce.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';

export type Numbers = Float64Array | readonly number[];

/** The library's way and the paper's way to the same numbers. */
export interface Agreement {
  /** Shapes of the inputs, which are filled with normal numbers. */
  readonly inputs: readonly (readonly number[])[];
  run(inputs: readonly Tensor[]): Tensor;
  formula(inputs: readonly Numbers[]): Numbers;
}

export interface Tolerance {
  readonly forward: number;
  readonly gradient: number;
}

/** On float64 the forward pass is exact but for rounding; differences with a step of 1e-5 know a gradient to 1e-8. */
export const exact: Tolerance = { forward: 1e-11, gradient: 1e-6 };
/** Float32: N1's bound with room for the operations around attention. */
export const single: Tolerance = { forward: 1e-5, gradient: 1e-4 };

const step = 1e-5;

/** Repeatable normal numbers, another list for every seed. */
export function normals(count: number, seed: number): Float64Array {
  const uniform = (at: number): number => (mix32(mix32(seed) ^ at) + 0.5) / 2 ** 32;
  return Float64Array.from(
    { length: count },
    (_, at) => Math.sqrt(-2 * Math.log(uniform(2 * at))) * Math.cos(2 * Math.PI * uniform(2 * at + 1)),
  );
}

/** Throws unless result and gradients agree; every difference is relative to the largest number of its tensor or 1. */
export function expectAgreement(
  { inputs, run, formula }: Agreement,
  backend: Backend,
  tolerance: Tolerance = exact,
): void {
  const values = inputs.map((shape, at) => normals(sizeOf(shape), at + 1));
  const wanted = formula(values);
  const weight = normals(wanted.length, 99);
  const { out, gradients } = computed(inputs, values, weight, run, backend);
  expectClose(out, wanted, tolerance.forward, 'out');
  const loss = (): number =>
    Array.from(formula(values)).reduce((total, value, at) => total + value * (weight[at] as number), 0);
  values.forEach((array, at) => {
    expectClose(gradients[at] as Numbers, differences(array, loss), tolerance.gradient, `gradient of input ${at}`);
  });
}

function computed(
  shapes: Agreement['inputs'],
  values: readonly Float64Array[],
  weight: Float64Array,
  run: Agreement['run'],
  backend: Backend,
): { readonly out: Numbers; readonly gradients: readonly Numbers[] } {
  return scope(() => {
    const leaves = shapes.map((shape, at) =>
      tensor(values[at] as Float64Array, shape, { backend, dtype: 'f32', requiresGrad: true }),
    );
    const out = run(leaves);
    backward(sum(multiply(out, tensor(weight, out.shape, { backend, dtype: 'f32' }))));
    const gradients = leaves.map((leaf) => Float64Array.from(leaf.grad?.toArray() ?? new Float64Array(leaf.size)));
    const result = Float64Array.from(out.toArray());
    for (const leaf of leaves) leaf.dispose();
    return { out: result, gradients };
  });
}

function differences(array: Float64Array, loss: () => number): Numbers {
  return array.map((value, at) => {
    const lossWith = (shifted: number): number => {
      array[at] = shifted;
      return loss();
    };
    const slope = (lossWith(value + step) - lossWith(value - step)) / (2 * step);
    array[at] = value;
    return slope;
  });
}

export function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number, label: string): void {
  expect(got.length, `${label}: length`).toBe(wanted.length);
  const largest = Array.from(wanted).reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  for (let at = 0; at < got.length; at++) {
    const gap = Math.abs((got[at] as number) - (wanted[at] as number)) / largest;
    if (!(gap <= tolerance)) expect.fail(`${label}[${at}]: expected ${wanted[at]}, got ${got[at]}`);
  }
}
