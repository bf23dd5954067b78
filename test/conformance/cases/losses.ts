/** Cases of softmax and cross-entropy, with -Infinity in places and logits to 1e4. */

import { type Case, type Input, input, integers, kernelCase, normal, within } from '../case.js';
import { outcome } from './outcome.js';
import { tables } from './tables.js';

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

export const lossCases: readonly Case[] = [...softmaxes, ...entropies];
