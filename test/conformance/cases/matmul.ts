/**
 * Cases of matmul: odd sizes around every register tile, batches with and without repetition, every epilogue. The bound
 * is componentwise (N5): 8u·(|A|·|B|), u = 2^-24, K <= 4096.
 */

import { activations } from '../../../src/backend/kernels.generated.js';
import { type Case, type Input, input, kernelCase, normal, type Tolerance } from '../case.js';
import { truthOf } from '../run.js';

const sizes: readonly (readonly [number, number, number])[] = [
  [1, 1, 1],
  [0, 3, 2],
  [3, 0, 2],
  [3, 2, 0],
  [1, 7, 3],
  [2, 3, 5],
  [7, 15, 16],
  [6, 16, 1],
  [13, 31, 17],
  [14, 32, 33],
  [16, 48, 64],
  [31, 33, 63],
  [1, 129, 257],
  [65, 1, 127],
  [63, 65, 129],
  [127, 17, 513],
  [5, 513, 40],
  [3, 2, 4096],
  [129, 255, 96],
  [257, 130, 300],
  [25, 290, 600], // two column blocks and two blocks of K, neither whole
];

function absolute(it: Input): Input {
  const { shape, stored } = it;
  const broadcast = shape.flatMap((size, axis) => (size === stored[axis] ? [] : [axis]));
  return input(shape, (index) => Math.abs(it.values[index] as number), { broadcast });
}

interface Shape {
  readonly batch: readonly [number, number];
  readonly size: readonly [number, number, number];
  readonly broadcast?: { readonly a?: readonly number[]; readonly b?: readonly number[] };
  readonly epilogue?: 'none' | 'bias' | 'residual' | 'both';
  readonly alpha?: number;
  readonly activation?: number;
}

export function matmulCase(shape: Shape, seed: number): Case {
  const { batch, size, broadcast = {}, epilogue = 'none', alpha = 1, activation = 0 } = shape;
  const [M, N, K] = size;
  const a = normal([...batch, M, K], seed, { broadcast: broadcast.a ?? [] });
  const b = normal([...batch, K, N], seed + 1, { broadcast: broadcast.b ?? [] });
  const bias = epilogue === 'bias' || epilogue === 'both' ? { bias: normal([N], seed + 2) } : {};
  const residual =
    epilogue === 'residual' || epilogue === 'both' ? { residual: normal([...batch, M, N], seed + 3) } : {};
  const outputs = { out: [...batch, M, N] };
  const label = `[${batch}] × [${size}] ${epilogue} alpha ${alpha} ${activations[activation]} repeating ${broadcast.a ?? '-'} and ${broadcast.b ?? '-'}`;
  const magnitude = kernelCase({
    kernel: 'matmul_f32',
    label: 'of absolute values',
    inputs: {
      a: absolute(a),
      b: absolute(b),
      ...(bias.bias && { bias: absolute(bias.bias) }),
      ...(residual.residual && { residual: absolute(residual.residual) }),
    },
    outputs,
    scalars: { alpha: Math.abs(alpha), activation: 0 },
    tolerance: {},
  });
  const scale = activation === 0 ? 8 * 2 ** -24 : 12 * 2 ** -24; // gelu's slope reaches 1.13
  const bound: Tolerance = {
    absolute: activation === 0 ? 0 : 1e-6,
    bound: () => (truthOf(magnitude).out as Float64Array).map((sum) => scale * sum),
  };
  return kernelCase({
    kernel: 'matmul_f32',
    label,
    inputs: { a, b, ...bias, ...residual },
    outputs,
    scalars: { alpha, activation },
    tolerance: { out: bound },
  });
}

const plain = sizes.map((size, seed) => matmulCase({ batch: [1, 1], size }, seed));

const epilogues = (['bias', 'residual', 'both'] as const).flatMap((epilogue, seed) =>
  activations.flatMap((_, activation) =>
    (
      [
        [3, 0, 2],
        [3, 2, 0],
        [5, 7, 9],
        [1, 1, 1],
        [33, 65, 17],
      ] as const
    ).map((size) => matmulCase({ batch: [1, 2], size, epilogue, activation, alpha: 0.37 }, seed + activation)),
  ),
);

const batches = [
  matmulCase({ batch: [1, 1], size: [5, 9, 3], epilogue: 'both' }, 7),
  matmulCase({ batch: [2, 3], size: [7, 17, 5] }, 1),
  matmulCase({ batch: [0, 3], size: [7, 17, 5] }, 2),
  matmulCase({ batch: [2, 3], size: [33, 15, 31], broadcast: { b: [0, 1] } }, 3),
  matmulCase({ batch: [3, 2], size: [5, 8, 16], broadcast: { a: [0], b: [1] } }, 4),
  matmulCase({ batch: [4, 8], size: [33, 33, 64], epilogue: 'both' }, 5),
  matmulCase({ batch: [1, 1], size: [9, 17, 33], broadcast: { a: [2] } }, 6),
  matmulCase({ batch: [1, 1], size: [26, 64, 513], epilogue: 'both', alpha: 0.5, activation: 2 }, 8),
];

/** Large and small terms that cancel: the true sum is tiny beside |A|·|B|. */
const adversarial = [17, 256, 1000].map((K) => {
  const a = input([1, 1, 4, K], (index) => (index % 2 ? -1 : 1) * 10 ** ((index * 7) % 9));
  const b = input([1, 1, K, 5], (index) => 10 ** -((index * 3) % 5));
  const magnitude = kernelCase({
    kernel: 'matmul_f32',
    label: 'of absolute values',
    inputs: { a: absolute(a), b },
    outputs: { out: [1, 1, 4, 5] },
    scalars: { alpha: 1, activation: 0 },
    tolerance: {},
  });
  return kernelCase({
    kernel: 'matmul_f32',
    label: `cancelling, K = ${K}`,
    inputs: { a, b },
    outputs: { out: [1, 1, 4, 5] },
    scalars: { alpha: 1, activation: 0 },
    tolerance: { out: { bound: () => (truthOf(magnitude).out as Float64Array).map((sum) => 8 * 2 ** -24 * sum) } },
  });
});

export const matmulCases: readonly Case[] = [...plain, ...epilogues, ...batches, ...adversarial];
