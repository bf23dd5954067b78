/** Cases of the elementwise kernels. Shapes cover rank 0 to 8, empty axes, odd sizes, and enough rows for threads. */

import { binaryOps, unaryOps } from '../../../src/backend/kernels.generated.js';
import { type Case, exact, type Input, input, integers, kernelCase, normal, within } from '../case.js';

const shapes: readonly (readonly number[])[] = [
  [],
  [1],
  [0],
  [3, 0, 2],
  [17],
  [1030],
  [3, 5],
  [2, 3, 4, 5],
  [33, 65],
  [1, 2, 1, 3, 1, 2, 1, 5],
  [129, 70],
];

const smooth = within(1e-6, 1e-6); // N6: activations
const rounded = within(1e-37, 1.3e-7); // one rounding, 2^-23

const special = [0, -0, 1e-30, -1e-30, 1e4, -1e4, 20, -20, 88, -88, 0.5, -0.46875, 4, -4, 6, 1e18];

/** Normal numbers with the awkward ones in front; `positive` for functions that are undefined below 0. */
function argument(shape: readonly number[], seed: number, positive: boolean): Input {
  const base = normal(shape, seed, { scale: 3 });
  const value = (index: number): number => special[index] ?? (base.values[index] as number);
  return input(shape, (index) => (positive ? Math.abs(value(index)) : value(index)));
}

const unaries = unaryOps.flatMap((name, op) =>
  shapes.flatMap((shape, seed) => {
    const a = argument(shape, seed, name === 'log' || name === 'sqrt');
    const dout = normal(shape, seed + 100);
    const label = `${name} [${shape}]`;
    // N7: exp within 2 units in the last place; the derivative multiplies by dout, one more rounding.
    const [forward, backward] =
      name === 'exp' ? [within(1e-37, 2.4e-7), within(1e-37, 5e-7)] : [smooth, within(1e-6, 2e-6)];
    return [
      kernelCase({
        kernel: 'unary_f32',
        label,
        inputs: { a },
        outputs: { out: shape },
        scalars: { op },
        tolerance: { out: forward },
      }),
      kernelCase({
        kernel: 'unary_backward_f32',
        label,
        inputs: { a, dout },
        outputs: { da: shape },
        scalars: { op },
        tolerance: { da: backward },
      }),
    ];
  }),
);

const binaries = binaryOps.flatMap((name, op) =>
  shapes.flatMap((shape, seed) =>
    [
      [[], []],
      [[], shape.map((_, axis) => axis).slice(0, -1)],
      [[], [shape.length - 1]],
      [[0], [shape.length - 1]],
    ].map(([left, right]) =>
      kernelCase({
        kernel: 'binary_f32',
        label: `${name} [${shape}] repeating ${left} and ${right}`,
        inputs: {
          a: normal(shape, seed, { broadcast: left ?? [] }),
          b: normal(shape, seed + 50, { broadcast: right ?? [] }),
        },
        outputs: { out: shape },
        scalars: { op },
        tolerance: { out: rounded },
      }),
    ),
  ),
);

const others = shapes.flatMap((shape, seed) => [
  kernelCase({
    kernel: 'fill_f32',
    label: `[${shape}]`,
    inputs: {},
    outputs: { out: shape },
    scalars: { value: -2.5 },
    tolerance: { out: exact },
  }),
  kernelCase({
    kernel: 'copy_f32',
    label: `[${shape}]`,
    inputs: { a: argument(shape, seed, false) },
    outputs: { out: shape },
    scalars: {},
    tolerance: { out: exact },
  }),
  kernelCase({
    kernel: 'copy_f32',
    label: `[${shape}] repeating 0`,
    inputs: { a: normal(shape, seed, { broadcast: [0] }) },
    outputs: { out: shape },
    scalars: {},
    tolerance: { out: exact },
  }),
  kernelCase({
    kernel: 'affine_f32',
    label: `[${shape}]`,
    inputs: { a: normal(shape, seed) },
    outputs: { out: shape },
    scalars: { scale: -1.7, shift: 0.3 },
    tolerance: { out: within(1e-6, 2e-7) }, // scale and shift round to float32 as well
  }),
  ...[[], [0], [shape.length - 1]].map((broadcast) =>
    kernelCase({
      kernel: 'select_f32',
      label: `[${shape}] condition repeating ${broadcast}`,
      inputs: {
        condition: integers(shape, seed, [0, 3], { dtype: 'u8', broadcast }),
        a: argument(shape, seed, false),
        b: input(shape, (index) => [Number.NaN, Infinity, 5][index % 3] as number),
      },
      outputs: { out: shape },
      scalars: {},
      tolerance: { out: exact },
    }),
  ),
]);

const dropouts = [0, 1, 7, 1030, 20_001].flatMap((N, seed) =>
  [0, 0.1, 0.5, 1 - 2 ** -25].map((rate) =>
    kernelCase({
      kernel: 'dropout_f32',
      label: `[${N}] rate ${rate}`,
      inputs: { a: normal([N], seed) },
      outputs: { out: [N] },
      scalars: { rate, seed: 4_000_000_000 + seed, stream: 7 },
      tolerance: { out: within(0, 2.5e-7) }, // a zero must be exactly 0
    }),
  ),
);

export const elementwiseCases: readonly Case[] = [...unaries, ...binaries, ...others, ...dropouts];
