/** Cases of the kernels that work row by row: reductions, softmax, cross-entropy, norms, indexing, the optimiser. */

import { reduceOps } from '../../../src/backend/kernels.generated.js';
import { createReferenceBackend } from '../../../src/backend/reference/createReferenceBackend.js';
import {
  type Case,
  exact,
  type Input,
  input,
  inputFrom,
  integers,
  kernelCase,
  listed,
  normal,
  within,
} from '../case.js';
import { execute } from '../run.js';

const float32 = createReferenceBackend();

/** An output of an earlier case, as float32 input of a later one. */
function outcome(of: Case, name: string): Input {
  return inputFrom(of.outputs[name] as readonly number[], () => {
    const values = execute(float32, of)[name] as Float64Array;
    return (index) => values[index] as number;
  });
}

const cubes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [0, 3, 2],
  [2, 3, 0],
  [3, 1, 5],
  [1, 1030, 1],
  [7, 17, 1],
  [1, 33, 65],
  [5, 16, 31],
  [3, 129, 8],
  [2, 4096, 3],
  [257, 63, 17],
];

/** Sums of absolute values over the middle axis: what a float32 sum may be wrong by is proportional to it. */
function magnitudes({ shape, values }: Input, factor: number): Float64Array {
  const [M, K, N] = shape as [number, number, number];
  const sums = new Float64Array(M * N);
  for (let m = 0; m < M; m++)
    for (let k = 0; k < K; k++)
      for (let n = 0; n < N; n++) {
        const cell = m * N + n;
        sums[cell] = (sums[cell] as number) + factor * Math.abs(values[(m * K + k) * N + n] as number);
      }
  return sums;
}

const reductions = cubes.flatMap(([M, K, N], seed) => {
  const a = normal([M, K, N], seed, { mean: 0.3 });
  const unit = 8 * 2 ** -24;
  const tolerances = {
    sum: { bound: () => magnitudes(a, unit) },
    mean: { bound: () => magnitudes(a, unit / K) },
    max: exact,
    min: exact,
  };
  return [
    ...reduceOps.map((name, op) =>
      kernelCase({
        kernel: 'reduce_f32',
        label: `${name} [${[M, K, N]}]`,
        inputs: { a },
        outputs: { out: [M, N] },
        scalars: { op },
        tolerance: { out: tolerances[name] },
      }),
    ),
    kernelCase({
      kernel: 'argmax_f32',
      label: `[${[M, K, N]}] with ties`,
      inputs: { a: integers([M, K, N], seed, [-2, 3]) },
      outputs: { out: [M, N] },
      scalars: {},
      tolerance: { out: exact },
    }),
  ];
});

const squareSums = [0, 1, 15, 1030, 50_001].map((N) =>
  kernelCase({
    kernel: 'square_sum_f32',
    label: `[${N}]`,
    inputs: { a: normal([N], N) },
    outputs: { out: [1] },
    scalars: {},
    tolerance: { out: within(0, 2e-7) },
  }),
);

const tables: readonly (readonly [number, number])[] = [
  [0, 5],
  [1, 1],
  [1, 2],
  [3, 7],
  [2, 16],
  [17, 33],
  [5, 127],
  [3, 1030],
  [513, 65],
];

/** Rows of logits: plain, large, with -Infinity in places, and all -Infinity. */
function logitRows(shape: readonly [number, number], seed: number, scale: number): Input {
  const base = normal(shape, seed, { scale });
  const N = shape[1];
  return input(shape, (index) => {
    const [m, n] = [Math.floor(index / N), index % N];
    const forbidden = (m % 3 === 1 && n % 2 === 0) || m % 5 === 2;
    return forbidden ? -Infinity : (base.values[index] as number);
  });
}

const softmaxes = tables.flatMap((shape, seed) =>
  [1, 30].flatMap((scale) =>
    [0, 1].flatMap((log) => {
      const label = `[${shape}] logits × ${scale}, log ${log}`;
      const forward = kernelCase({
        kernel: 'softmax_f32',
        label,
        inputs: { a: logitRows(shape, seed, scale) },
        outputs: { out: shape },
        scalars: { log },
        tolerance: { out: log ? within(1e-6, 1e-6) : within(5e-7) },
      });
      return [
        forward,
        kernelCase({
          kernel: 'softmax_backward_f32',
          label,
          inputs: { out: outcome(forward, 'out'), dout: normal(shape, seed + 9) },
          outputs: { da: shape },
          scalars: { log },
          tolerance: { da: log ? within(5e-6, 1e-6) : within(1e-6, 1e-6) },
        }),
      ];
    }),
  ),
);

const entropies = tables.flatMap(([M, V], seed) =>
  [
    { scale: 1, smoothing: 0, ignore: -1 },
    { scale: 3, smoothing: 0.1, ignore: 0 },
    { scale: 1e4, smoothing: 0, ignore: -1 },
    { scale: 1e4, smoothing: 0.1, ignore: -100 },
  ].flatMap(({ scale, smoothing, ignore }) => {
    const label = `[${[M, V]}] logits × ${scale}, smoothing ${smoothing}, ignore ${ignore}`;
    const logits = normal([M, V], seed, { scale });
    const random = integers([M], seed + 1, [0, V], { dtype: 'i32' });
    const target = input([M], (m) => (m % 4 === 3 ? ignore : (random.values[m] as number)), { dtype: 'i32' });
    const inputs = { logits, target };
    const forward = kernelCase({
      kernel: 'cross_entropy_f32',
      label,
      inputs,
      outputs: { loss: [M], lse: [M] },
      scalars: { smoothing, ignore },
      tolerance: { loss: within(1e-6, 1e-6), lse: within(1e-6, 1e-6) }, // N6
    });
    return [
      forward,
      kernelCase({
        kernel: 'cross_entropy_backward_f32',
        label,
        inputs: { ...inputs, lse: outcome(forward, 'lse'), dloss: normal([M], seed + 2) },
        outputs: { dlogits: [M, V] },
        scalars: { smoothing, ignore },
        tolerance: { dlogits: within(1e-6, 1e-6) },
      }),
    ];
  }),
);

/** Inputs whose mean is 20 standard deviations from 0 (N6): a one-pass variance fails here. */
const norms = tables.flatMap(([M, E], seed) =>
  [true, false].flatMap((affine) => {
    const [x, dout] = [normal([M, E], seed, { mean: 20 }), normal([M, E], seed + 1)];
    const gamma = affine ? { gamma: normal([E], seed + 2, { mean: 1, scale: 0.2 }) } : {};
    const beta = affine ? { beta: normal([E], seed + 3) } : {};
    const sums = affine ? { dgamma: [E] } : {};
    const label = `[${[M, E]}]${affine ? ' with gamma' : ''}`;
    const epsilon = 1e-5;
    const layer = kernelCase({
      kernel: 'layer_norm_f32',
      label,
      inputs: { x, ...gamma, ...beta },
      outputs: { out: [M, E], mean: [M], rstd: [M] },
      scalars: { epsilon },
      tolerance: { out: E === 1 ? within(1e-2) : within(1e-5, 1e-6), mean: within(0, 1e-6), rstd: within(0, 1e-5) },
    });
    const rms = kernelCase({
      kernel: 'rms_norm_f32',
      label,
      inputs: { x, ...gamma },
      outputs: { out: [M, E], rstd: [M] },
      scalars: { epsilon },
      tolerance: { out: within(2e-6, 1e-6), rstd: within(0, 1e-6) },
    });
    const gradient = within(1e-5, 1e-5);
    const layerBackward = kernelCase({
      kernel: 'layer_norm_backward_f32',
      label,
      inputs: { dout, x, mean: outcome(layer, 'mean'), rstd: outcome(layer, 'rstd'), ...gamma },
      outputs: { dx: [M, E], ...sums, ...(affine ? { dbeta: [E] } : {}) },
      scalars: {},
      tolerance: { dx: E === 1 ? within(1e-2) : gradient, dgamma: within(1e-5 * Math.sqrt(M), 1e-5), dbeta: gradient },
    });
    const rmsBackward = kernelCase({
      kernel: 'rms_norm_backward_f32',
      label,
      inputs: { dout, x, rstd: outcome(rms, 'rstd'), ...gamma },
      outputs: { dx: [M, E], ...sums },
      scalars: {},
      tolerance: { dx: gradient, dgamma: gradient },
    });
    return [layer, rms, layerBackward, rmsBackward];
  }),
);

const lookups = (
  [
    [0, 3, 4],
    [1, 1, 1],
    [5, 3, 17],
    [31, 7, 33],
    [600, 40, 65],
  ] as const
).flatMap(([M, V, E], seed) => {
  const index = integers([M], seed, [0, V], { dtype: 'i32' });
  const label = `${M} rows of [${[V, E]}]`;
  const table = normal([V, E], seed + 1);
  return [
    kernelCase({
      kernel: 'gather_rows_f32',
      label,
      inputs: { table, index },
      outputs: { out: [M, E] },
      scalars: {},
      tolerance: { out: exact },
    }),
    kernelCase({
      kernel: 'scatter_add_rows_f32',
      label,
      inputs: { table, rows: normal([M, E], seed + 2), index },
      outputs: {},
      scalars: {},
      tolerance: { table: within(5e-6, 1e-6) }, // a sum of up to 30 float32 numbers in the order of index
    }),
  ];
});

const steps = [0, 1, 7, 1030, 20_001].flatMap((N, seed) =>
  [
    { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01, step: 1, gradientScale: 1 },
    { rate: 0.02, beta1: 0.9, beta2: 0.98, epsilon: 1e-9, decay: 0, step: 4000, gradientScale: 0.25 },
  ].map((scalars) => {
    const squares = normal([N], seed + 3);
    return kernelCase({
      kernel: 'adamw_f32',
      label: `[${N}] step ${scalars.step}`,
      inputs: {
        parameter: normal([N], seed),
        m: normal([N], seed + 1, { scale: 0.1 }),
        v: input([N], (index) => 0.01 * (squares.values[index] as number) ** 2),
        gradient: normal([N], seed + 2),
      },
      outputs: {},
      scalars,
      tolerance: { parameter: within(1e-6, 1e-6), m: within(1e-7, 1e-6), v: within(1e-9, 1e-6) },
    });
  }),
);

const identical = listed([2, 3], [5, 5, 5, -1, -1, -1]);
const constantRows = kernelCase({
  kernel: 'layer_norm_f32',
  label: 'rows of equal numbers',
  inputs: { x: identical },
  outputs: { out: [2, 3], mean: [2], rstd: [2] },
  scalars: { epsilon: 1e-5 },
  tolerance: { out: exact, mean: exact, rstd: within(0, 1e-6) },
});

export const rowCases: readonly Case[] = [
  ...reductions,
  ...squareSums,
  ...softmaxes,
  ...entropies,
  ...norms,
  constantRows,
  ...lookups,
  ...steps,
];
