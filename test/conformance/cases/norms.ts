/** Cases of layer norm and RMS norm. */

import { type Case, exact, kernelCase, listed, normal, within } from '../case.js';
import { outcome } from './outcome.js';
import { tables } from './tables.js';

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

const identical = listed([2, 3], [5, 5, 5, -1, -1, -1]);
const constantRows = kernelCase({
  kernel: 'layer_norm_f32',
  label: 'rows of equal numbers',
  inputs: { x: identical },
  outputs: { out: [2, 3], mean: [2], rstd: [2] },
  scalars: { epsilon: 1e-5 },
  tolerance: { out: exact, mean: exact, rstd: within(0, 1e-6) },
});

export const normCases: readonly Case[] = [...norms, constantRows];
