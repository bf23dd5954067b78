/**
 * Samples of every operation of src/tensor for the gradient check, by operation name. Values stay clear of kinks (relu
 * at 0, ties of max). Shapes are small and odd. Next: gradients.test.ts.
 */

import {
  abs,
  add,
  affine,
  concat,
  contiguous,
  crossEntropy,
  divide,
  dropout,
  embedding,
  entmax15,
  exp,
  expand,
  gelu,
  layerNorm,
  linear,
  log,
  logSoftmax,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  multiply,
  negate,
  permute,
  relu,
  reshape,
  rmsNorm,
  select,
  sigmoid,
  silu,
  slice,
  softmax,
  sparsemax,
  split,
  sqrt,
  square,
  squeeze,
  subtract,
  sum,
  type Tensor,
  tanh,
  transpose,
  unsqueeze,
  where,
} from '../../src/tensor/index.js';
import type { Sample, SampleInput } from './checkGradients.js';

const random = (...shape: number[]): SampleInput => ({ shape });
const positive = (...shape: number[]): SampleInput => ({ shape, low: 0.5, high: 2 });
const ids = (shape: readonly number[], values: readonly number[]): SampleInput => ({ shape, values, dtype: 'i32' });
const mask = (shape: readonly number[], values: readonly number[]): SampleInput => ({ shape, values, dtype: 'u8' });

function unary(apply: (x: Tensor) => Tensor, input = random): readonly Sample[] {
  return [
    { inputs: [input(3, 5)], run: (x) => apply(x) },
    { inputs: [input()], run: (x) => apply(x) },
  ];
}

function binary(apply: (a: Tensor, b: Tensor) => Tensor, b = random): readonly Sample[] {
  const run = (x: Tensor, y: Tensor): Tensor => apply(x, y);
  return [
    { inputs: [random(2, 3, 5), b(2, 3, 5)], run },
    { inputs: [random(2, 3, 5), b(5)], run },
    { inputs: [random(3, 1), b(2, 1, 5)], run },
    { inputs: [random(), b(2, 3)], run },
    { inputs: [random(4)], run: (x: Tensor) => apply(x, affine(x, 0.5, 1.7)) },
  ];
}

const reduction = (apply: (x: Tensor, axes?: number | number[], keepAxes?: boolean) => Tensor): readonly Sample[] => [
  { inputs: [random(3, 5)], run: (x) => apply(x) },
  { inputs: [random(2, 3, 5)], run: (x) => apply(x, 1) },
  { inputs: [random(2, 3, 5)], run: (x) => apply(x, [0, 2], true) },
  { inputs: [random(2, 3, 2, 3)], run: (x) => apply(x, [-1, 0]) },
  { inputs: [random(2, 3)], run: (x) => apply(x, []) },
];

/** Keyed by operation name; test/gradients/gradients.test.ts fails when a name has no entry. */
export const tensorSamples: Readonly<Record<string, readonly Sample[]>> = {
  negate: unary(negate),
  exp: unary(exp),
  log: unary(log, positive),
  sqrt: unary(sqrt, positive),
  tanh: unary(tanh),
  sigmoid: unary(sigmoid),
  relu: unary(relu),
  gelu: unary(gelu),
  silu: unary(silu),
  square: unary(square),
  abs: unary(abs),
  affine: [
    { inputs: [random(3, 5)], run: (x) => affine(x, -1.5, 0.25) },
    { inputs: [random(3)], run: (x) => add(x, 2) },
    { inputs: [random(3)], run: (x) => subtract(2, x) },
  ],
  add: binary(add),
  subtract: binary(subtract),
  multiply: binary(multiply),
  divide: [...binary(divide, positive), { inputs: [positive(3)], run: (x) => divide(2, x) }],
  maximum: binary(maximum),
  minimum: binary(minimum),
  where: [
    {
      inputs: [mask([2, 3], [1, 0, 0, 1, 1, 0]), random(2, 3), random(3)],
      run: (condition, a, b) => where(condition, a, b),
    },
    {
      inputs: [mask([3], [1, 0, 1]), random(2, 1)],
      run: (condition, a) => where(condition, a, -3),
    },
  ],
  dropout: [{ inputs: [random(4, 5)], run: (x) => dropout(x, { rate: 0.4, seed: 7, stream: 3 }) }],
  sum: reduction(sum),
  mean: reduction(mean),
  max: reduction(max),
  min: reduction(min),
  reshape: [
    { inputs: [random(3, 4)], run: (x) => reshape(x, [2, -1]) },
    { inputs: [random(3, 4)], run: (x) => reshape(transpose(x), [6, 2]) },
    { inputs: [random(3, 4)], run: (x) => squeeze(unsqueeze(x, 1), 1) },
  ],
  permute: [
    { inputs: [random(2, 3, 4)], run: (x) => permute(x, [2, 0, 1]) },
    { inputs: [random(2, 3)], run: (x) => transpose(x) },
  ],
  slice: [
    { inputs: [random(3, 5)], run: (x) => slice(x, 1, 1, -1) },
    { inputs: [random(3, 5)], run: (x) => select(x, 0, -1) },
  ],
  expand: [
    { inputs: [random(3, 1)], run: (x) => expand(x, [2, -1, 4]) },
    { inputs: [random(3)], run: (x) => square(expand(x, [2, 3])) },
  ],
  contiguous: [{ inputs: [random(3, 4)], run: (x) => contiguous(transpose(x)) }],
  matmul: [
    [random(3, 4), random(4, 5)],
    [random(2, 3, 4), random(4, 5)],
    [random(2, 3, 4), random(2, 4, 5)],
    [random(2, 1, 3, 4), random(3, 4, 2)],
    [random(3, 4), random(2, 4, 5)],
    [random(1, 3, 1, 4), random(4, 1)],
  ].map((inputs) => ({ inputs, run: (a: Tensor, b: Tensor) => matmul(a, b) })),
  linear: [
    {
      inputs: [random(2, 3, 4), random(5, 4), random(5)],
      run: (x, weight, bias) => linear(x, weight, bias),
    },
    { inputs: [random(3, 4), random(5, 4)], run: (x, weight) => linear(x, weight) },
    {
      inputs: [random(4), random(5, 4), random(5)],
      run: (x, weight, bias) => linear(x, weight, bias),
    },
  ],
  concat: [
    { inputs: [random(2, 3), random(2, 1), random(2, 2)], run: (...tensors) => concat(tensors, 1) },
    { inputs: [random(2, 3)], run: (x) => concat([x, x], 0) },
  ],
  split: [
    { inputs: [random(5, 2)], run: (x) => split(x, [1, 3, 1], 0) },
    { inputs: [random(2, 5)], run: (x) => square(split(x, [2, 3], -1)[1] as Tensor) },
  ],
  embedding: [
    {
      inputs: [random(4, 3), ids([2, 3], [1, 3, 1, 0, 3, 1])],
      run: (table, index) => embedding(table, index),
    },
  ],
  entmax: [
    { inputs: [random(3, 5)], run: (x) => sparsemax(affine(x, 2, 0)) },
    { inputs: [random(2, 3, 4)], run: (x) => entmax15(affine(x, 3, 0)) },
    { inputs: [random(3, 1)], run: (x) => entmax15(x) },
  ],
  softmax: [
    { inputs: [random(3, 5)], run: (x) => softmax(x) },
    { inputs: [random(2, 3, 4)], run: (x) => softmax(x, 1) },
  ],
  logSoftmax: [
    { inputs: [random(3, 5)], run: (x) => logSoftmax(x) },
    { inputs: [random(3, 5)], run: (x) => logSoftmax(x, 0) },
  ],
  layerNorm: [
    {
      inputs: [random(2, 3, 5), positive(5), random(5)],
      run: (x, gamma, beta) => layerNorm(x, gamma, beta),
    },
    { inputs: [random(3, 5)], run: (x) => layerNorm(x) },
  ],
  rmsNorm: [
    { inputs: [random(2, 3, 5), positive(5)], run: (x, gamma) => rmsNorm(x, gamma) },
    { inputs: [random(3, 5)], run: (x) => rmsNorm(x) },
  ],
  crossEntropy: [
    {
      inputs: [random(4, 5), ids([4], [2, -1, 0, 4])],
      run: (logits, target) => crossEntropy(logits, target, { smoothing: 0.1 }),
    },
    {
      inputs: [random(2, 3, 4), ids([2, 3], [0, 1, 2, 3, 0, 0])],
      run: (logits, target) => crossEntropy(logits, target, { ignore: 0 }),
    },
  ],
};
