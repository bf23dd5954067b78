/**
 * The reference itself: every backward kernel against central differences of its forward kernel in float64. Everything
 * else is compared with the reference, so this is where truth is checked against the definition of a derivative.
 */

import { describe, expect, it } from 'vitest';
import type { KernelName } from '../../src/backend/contract.js';
import { unaryOps } from '../../src/backend/kernels.generated.js';
import { createReferenceBackend } from '../../src/backend/reference/createReferenceBackend.js';
import { type Case, type Input, input, kernelCase, normal } from '../conformance/case.js';
import { attentionCases, type Problem } from '../conformance/cases/attention.js';
import { lossCases } from '../conformance/cases/losses.js';
import { normCases } from '../conformance/cases/norms.js';
import { execute } from '../conformance/run.js';

const float64 = createReferenceBackend({ precision: 'f64' });
const step = 1e-6;
const differentiable: readonly Case[] = [...lossCases, ...normCases];

function withValue(it: Case, name: string, index: number, value: number): Case {
  const old = it.inputs[name] as Input;
  const values = Float64Array.from(old.values);
  values[index] = value;
  const { dtype, shape, stored } = old;
  return { ...it, inputs: { ...it.inputs, [name]: { dtype, shape, stored, values } } };
}

/** Σ weight·output, the scalar whose gradient backward computes when its `dout` is `weight`. */
function objective(forward: Case, output: string, weight: ArrayLike<number>): number {
  const values = execute(float64, forward)[output] as Float64Array;
  return values.reduce((sum, value, index) => sum + value * (weight[index] as number), 0);
}

/** Checks up to 40 entries of d objective / d input against `gradient`. */
function expectDerivative(
  forward: Case,
  name: string,
  output: string,
  weight: ArrayLike<number>,
  gradient: Float64Array,
): void {
  const { values } = forward.inputs[name] as Input;
  const every = Math.max(1, Math.floor(values.length / 40));
  for (let index = 0; index < values.length; index += every) {
    const value = values[index] as number;
    if (!Number.isFinite(value)) continue;
    const at = (x: number): number => objective(withValue(forward, name, index, x), output, weight);
    const slope = (at(value + step) - at(value - step)) / (2 * step);
    const mine = gradient[index] as number;
    expect(
      Math.abs(mine - slope),
      `${forward.kernel} ${forward.label} d${name}[${index}]: ${mine}, ${slope}`,
    ).toBeLessThanOrEqual(1e-5 + 1e-3 * Math.abs(slope));
  }
}

describe('unary functions', () => {
  it.each(unaryOps.map((name, op) => [name, op] as const))('%s', (name, op) => {
    const positive = name === 'log' || name === 'sqrt';
    const a = input([9], (index) => (positive ? 0.3 + index / 2 : (index - 4.5) * 0.8));
    const dout = normal([9], 3);
    const shared = { label: name, outputs: {}, scalars: { op }, tolerance: {} };
    const forward = kernelCase({ ...shared, kernel: 'unary_f32', inputs: { a }, outputs: { out: [9] } });
    const backward = kernelCase({ ...shared, kernel: 'unary_backward_f32', inputs: { a, dout }, outputs: { da: [9] } });
    expectDerivative(forward, 'a', 'out', dout.values, execute(float64, backward).da as Float64Array);
  });
});

/** Forward kernel, its backward, the differentiated output, the gradient fed in, and what each input's gradient is called. */
const pairs: readonly (readonly [KernelName, KernelName, string, string, Readonly<Record<string, string>>])[] = [
  ['softmax_f32', 'softmax_backward_f32', 'out', 'dout', { a: 'da' }],
  ['cross_entropy_f32', 'cross_entropy_backward_f32', 'loss', 'dloss', { logits: 'dlogits' }],
  ['layer_norm_f32', 'layer_norm_backward_f32', 'out', 'dout', { x: 'dx', gamma: 'dgamma', beta: 'dbeta' }],
  ['rms_norm_f32', 'rms_norm_backward_f32', 'out', 'dout', { x: 'dx', gamma: 'dgamma' }],
];

/** The backward case with what the forward kernel hands over computed in float64. */
function linked(forward: Case, backward: Case): Case {
  const results = execute(float64, forward);
  const inputs = { ...backward.inputs };
  for (const [name, values] of Object.entries(results))
    if (name in inputs) inputs[name] = { ...(inputs[name] as Input), values };
  return { ...backward, inputs };
}

describe.each(pairs)('%s', (forwardKernel, backwardKernel, output, fed, names) => {
  const finite = ({ inputs }: Case): boolean =>
    Object.values(inputs).every(({ values }) =>
      Array.from(values).every((x) => Number.isFinite(x) && Math.abs(x) < 1e3),
    );
  const small = ({ inputs, outputs }: Case): boolean =>
    Object.values(inputs).every(({ values }) => values.length > 0 && values.length < 600) && output in outputs;
  const labels = differentiable
    .filter((it) => it.kernel === forwardKernel && small(it) && finite(it))
    .map(({ label }) => label);

  it.each(labels)('%s', (label) => {
    const find = (kernel: KernelName): Case =>
      differentiable.find((it) => it.kernel === kernel && it.label === label) as Case;
    const forward = find(forwardKernel);
    if (differentiable.every((it) => it.kernel !== backwardKernel || it.label !== label)) return; // forward only
    const backward = linked(forward, find(backwardKernel));
    const gradients = execute(float64, backward);
    for (const [name, gradient] of Object.entries(names)) {
      if (!(gradient in gradients)) continue;
      const weight = (backward.inputs[fed] as Input).values;
      expectDerivative(forward, name, output, weight, gradients[gradient] as Float64Array);
    }
  });
});

describe('attention', () => {
  const L = 6;
  const bias = input([2, 4, L, 7], (index) => (index % 11 === 3 ? -Infinity : Math.sin(index)));
  const problems: readonly Partial<Problem>[] = [
    {},
    { G: 2 },
    { options: { right: 0, offset: 1 } },
    { options: { softcap: 1.5, scale: 0.9 } },
    { options: { dropoutRate: 0.4 }, G: 1 },
    { bias },
    { bias, G: 2, options: { softcap: 2, left: 3, right: 1, dropoutRate: 0.2 } },
  ];
  it.each(
    problems.map((problem) => [JSON.stringify({ ...problem, bias: problem.bias && 'with holes' }), problem] as const),
  )('%s', (_, problem) => {
    const cases = attentionCases({ B: 2, H: 4, L, S: 7, D: 5, Dv: 3, ...problem }, 40);
    const backward = linked(cases.forward, cases.backward);
    const gradients = execute(float64, backward);
    const weight = (backward.inputs.dout as Input).values;
    for (const name of ['q', 'k', 'v', ...(problem.bias ? ['bias'] : [])])
      expectDerivative(cases.forward, name, 'out', weight, gradients[`d${name}`] as Float64Array);
  });
});
