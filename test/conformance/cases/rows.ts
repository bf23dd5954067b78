/** Cases of the reductions, of indexing and of the optimiser. */

import { reduceOps } from '../../../src/backend/kernels.generated.js';
import { type Case, exact, type Input, input, integers, kernelCase, normal, within } from '../case.js';

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

export const rowCases: readonly Case[] = [...reductions, ...squareSums, ...lookups, ...steps];
