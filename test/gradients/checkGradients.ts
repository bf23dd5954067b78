/**
 * Compares the gradients of a function with central differences, on the float64 reference backend (promise N9:
 * eps 1e-6, atol 1e-5, rtol 1e-3). Inputs are made packed or strided. Next: samples.ts.
 */

import type { Backend } from '../../src/backend/contract.js';
import { mix32 } from '../../src/backend/dropout.js';
import { backward } from '../../src/tensor/autograd.js';
import { tensor, zeros } from '../../src/tensor/create.js';
import { add, multiply } from '../../src/tensor/elementwise.js';
import { copyInto } from '../../src/tensor/optimise.js';
import { noGrad } from '../../src/tensor/recording.js';
import { sum } from '../../src/tensor/reduce.js';
import { scope } from '../../src/tensor/scope.js';
import { Tensor } from '../../src/tensor/tensor.js';
import { permute, select } from '../../src/tensor/views.js';

/** Random numbers in [low, high), by default [-1, 1), or given values; ids (i32) and masks (u8) get no gradient. */
export interface SampleInput {
  readonly shape: readonly number[];
  readonly low?: number;
  readonly high?: number;
  readonly values?: readonly number[];
  readonly dtype?: 'f32' | 'i32' | 'u8';
}

/** One call of an operation. `run` must use it on these inputs. */
export interface Sample {
  readonly inputs: readonly SampleInput[];
  run(...inputs: Tensor[]): Tensor | readonly Tensor[];
}

export type Layout = 'packed' | 'strided';

const epsilon = 1e-6;
const absoluteTolerance = 1e-5;
const relativeTolerance = 1e-3;

/** Repeatable numbers in [low, high), different for every seed. */
function numbers(count: number, seed: number, low = -1, high = 1): Float64Array {
  return Float64Array.from({ length: count }, (_, at) => low + ((high - low) * mix32(mix32(seed) ^ at)) / 2 ** 32);
}

function valuesOf(input: SampleInput, seed: number): Float64Array {
  if (input.values) return Float64Array.from(input.values);
  const count = input.shape.reduce((product, size) => product * size, 1);
  return numbers(count, seed, input.low, input.high);
}

/** A leaf; strided ones have reversed axes and a gap of one element between neighbours. */
function leafOf(input: SampleInput, values: Float64Array, layout: Layout, backend: Backend): Tensor {
  if (input.dtype === 'i32' || input.dtype === 'u8')
    return tensor(values, input.shape, { dtype: input.dtype, backend });
  const packed = tensor(values, input.shape, { backend });
  const leaf = layout === 'packed' ? packed : stridedCopy(packed);
  leaf.requiresGrad = true;
  return leaf;
}

function stridedCopy(x: Tensor): Tensor {
  const base = zeros([...x.shape].reverse().concat(2), { backend: x.backend });
  const window = select(base, -1, 1);
  const view = permute(
    window,
    x.shape.map((_, axis) => x.shape.length - 1 - axis),
  );
  copyInto(view, x);
  return view;
}

/** A scalar that depends on every element of every output with its own weight. */
function lossOf(outputs: readonly Tensor[]): Tensor {
  const terms = outputs.map((out, at) => {
    const weights = tensor(numbers(out.size, 1000 + at, 0.5, 1.5), out.shape, { backend: out.backend });
    return sum(multiply(out, weights));
  });
  return terms.reduce((total, term) => add(total, term));
}

function evaluate(sample: Sample, leaves: Tensor[]): Tensor {
  const result = sample.run(...leaves);
  return lossOf(result instanceof Tensor ? [result] : result);
}

/** Names of the operations that the loss was made of. */
function operationsBehind(loss: Tensor): Set<string> {
  const found = new Set<string>();
  const nodes = new Set(loss.producer ? [loss.producer] : []);
  for (const node of nodes) {
    found.add(node.name);
    for (const input of node.inputs) if (input?.producer) nodes.add(input.producer);
  }
  return found;
}

interface Mismatch {
  readonly input: number;
  readonly element: number;
  readonly analytic: number;
  readonly numeric: number;
}

/** What disagrees, and which operations ran. */
export interface GradientReport {
  readonly mismatches: readonly Mismatch[];
  readonly operations: ReadonlySet<string>;
  readonly checked: number;
}

/** Checks every element of every f32 input of the sample. */
export function checkGradients(sample: Sample, layout: Layout, backend: Backend): GradientReport {
  const values = sample.inputs.map((input, at) => valuesOf(input, at + 1));
  const make = (given: readonly Float64Array[]): Tensor[] =>
    noGrad(() => sample.inputs.map((input, at) => leafOf(input, given[at] as Float64Array, layout, backend)));

  const lossAt = (given: readonly Float64Array[]): number =>
    scope(() => {
      const leaves = make(given);
      const value = noGrad(() => evaluate(sample, leaves).item());
      for (const leaf of leaves) leaf.dispose();
      return value;
    });

  const numericGradient = (input: number, element: number): number => {
    const shifted = (by: number): number => {
      const changed = values.map((array) => array.slice());
      (changed[input] as Float64Array)[element] = ((changed[input] as Float64Array)[element] as number) + by;
      return lossAt(changed);
    };
    return (shifted(epsilon) - shifted(-epsilon)) / (2 * epsilon);
  };

  const leaves = make(values);
  const loss = evaluate(sample, leaves);
  const operations = operationsBehind(loss);
  backward(loss);
  const mismatches: Mismatch[] = [];
  let checked = 0;
  leaves.forEach((leaf, input) => {
    if (!leaf.requiresGrad) return;
    const analytic = leaf.grad?.toArray() ?? new Float64Array(leaf.size);
    for (let element = 0; element < leaf.size; element++) {
      const got = analytic[element] as number;
      const wanted = numericGradient(input, element);
      checked++;
      const close = Math.abs(got - wanted) <= absoluteTolerance + relativeTolerance * Math.abs(wanted);
      if (!close) mismatches.push({ input, element, analytic: got, numeric: wanted });
    }
  });
  return { mismatches, operations, checked };
}
