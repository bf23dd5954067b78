/** Row-wise normalisations: softmax and its logarithm, layer norm, RMS norm. */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { checkAxis } from './axes.js';
import { rowsOf } from './broadcast.js';
import { defineOperation } from './operation.js';
import { allocate, type Tensor } from './tensor.js';
import { transpose } from './views.js';

function defineSoftmax(name: 'softmax' | 'logSoftmax'): (x: Tensor, axis?: number) => Tensor {
  const log = name === 'logSoftmax' ? 1 : 0;
  const operation = defineOperation({
    name,
    forward: ([x]: readonly [Tensor]) => {
      const out = allocate(x.backend, 'f32', x.shape);
      x.backend.run('softmax_f32', { out: rowsOf(out), a: rowsOf(x) }, { log });
      return { outputs: [out] };
    },
    backward: ({ outputs: [out] }, [dout]) => {
      const dx = allocate(out.backend, 'f32', out.shape);
      const operands = { da: rowsOf(dx), out: rowsOf(out), dout: rowsOf(dout) };
      out.backend.run('softmax_backward_f32', operands, { log });
      return [dx];
    },
  });
  return (x, axis = -1) => {
    const at = checkAxis(name, x, axis);
    if (at === x.shape.length - 1) return operation([x])[0];
    return transpose(operation([transpose(x, at, -1)])[0], at, -1);
  };
}

/** `e^(x - max) / Σ e^(x - max)` along an axis. A row of -inf gives zeros. */
export const softmax: (x: Tensor, axis?: number) => Tensor = defineSoftmax('softmax');

/** `x - max - ln Σ e^(x - max)` along an axis. A row of -inf gives -inf. */
export const logSoftmax: (x: Tensor, axis?: number) => Tensor = defineSoftmax('logSoftmax');

type NormInputs = readonly [Tensor, Tensor | undefined, Tensor | undefined];

/** One number a row of x: shape without the last axis, as one axis [M]. */
function perRow(x: Tensor): Tensor {
  return allocate(x.backend, 'f32', [x.size / Math.max(1, x.shape.at(-1) as number)]);
}

/** Memory for the gradient of an optional parameter; undefined when it is absent or not wanted. */
function wanted(parameter: Tensor | undefined, need: boolean | undefined): Tensor | undefined {
  return parameter !== undefined && need ? allocate(parameter.backend, 'f32', parameter.shape) : undefined;
}

const layerNormOperation = defineOperation({
  name: 'layerNorm',
  forward: ([x, gamma, beta]: NormInputs, { epsilon }: { epsilon: number }) => {
    const out = allocate(x.backend, 'f32', x.shape);
    const mean = perRow(x);
    const rstd = perRow(x);
    x.backend.run('layer_norm_f32', { out: rowsOf(out), mean, rstd, x: rowsOf(x), gamma, beta }, { epsilon });
    return { outputs: [out], saved: { mean, rstd } };
  },
  backward: ({ inputs: [x, gamma, beta], saved: { mean, rstd }, needs }, [dout]) => {
    const dx = allocate(x.backend, 'f32', x.shape);
    const dgamma = wanted(gamma, needs[1]);
    const dbeta = wanted(beta, needs[2]);
    const operands = { dx: rowsOf(dx), dgamma, dbeta, dout: rowsOf(dout), x: rowsOf(x), mean, rstd, gamma };
    x.backend.run('layer_norm_backward_f32', operands, {});
    return [dx, dgamma, dbeta];
  },
});

const rmsNormOperation = defineOperation({
  name: 'rmsNorm',
  forward: ([x, gamma]: readonly [Tensor, Tensor | undefined], { epsilon }: { epsilon: number }) => {
    const out = allocate(x.backend, 'f32', x.shape);
    const rstd = perRow(x);
    x.backend.run('rms_norm_f32', { out: rowsOf(out), rstd, x: rowsOf(x), gamma }, { epsilon });
    return { outputs: [out], saved: { rstd } };
  },
  backward: ({ inputs: [x, gamma], saved: { rstd }, needs }, [dout]) => {
    const dx = allocate(x.backend, 'f32', x.shape);
    const dgamma = wanted(gamma, needs[1]);
    const operands = { dx: rowsOf(dx), dgamma, dout: rowsOf(dout), x: rowsOf(x), rstd, gamma };
    x.backend.run('rms_norm_backward_f32', operands, {});
    return [dx, dgamma];
  },
});

function checkParameter(name: string, label: string, x: Tensor, parameter: Tensor | undefined): void {
  const E = x.shape.at(-1);
  if (parameter === undefined || (parameter.shape.length === 1 && parameter.shape[0] === E)) return;
  throw new ShapeError(
    `${name}: expected ${label} [E] = [${E}] to match x ${formatShape(x.shape)}, got ${formatShape(parameter.shape)}`,
    { x: x.shape, [label]: parameter.shape },
  );
}

/**
 * `(x - mean) · rstd · gamma + beta` over the last axis, `rstd = 1/sqrt(var + epsilon)`, biased variance in two passes.
 *
 * Shapes: x [..., E], gamma and beta [E]. Numerics: error <= 1e-5 with mean/sd = 20.
 * Source: Ba, Kiros, Hinton, "Layer Normalization" (2016).
 */
export function layerNorm(x: Tensor, gamma?: Tensor, beta?: Tensor, epsilon = 1e-5): Tensor {
  checkParameter('layerNorm', 'gamma', x, gamma);
  checkParameter('layerNorm', 'beta', x, beta);
  return layerNormOperation([x, gamma, beta], { epsilon })[0];
}

/**
 * `x · rstd · gamma` over the last axis, `rstd = 1/sqrt(mean(x²) + epsilon)`.
 *
 * Shapes: x [..., E], gamma [E]. Source: Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019).
 */
export function rmsNorm(x: Tensor, gamma?: Tensor, epsilon = 1e-5): Tensor {
  checkParameter('rmsNorm', 'gamma', x, gamma);
  return rmsNormOperation([x, gamma], { epsilon })[0];
}
