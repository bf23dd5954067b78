/**
 * Functions of one tensor, element by element: all are one kernel with a code, and one gradient rule
 * `da = dout · f'(a)`.
 */

import { unaryOps } from '../backend/kernels.generated.js';
import { defineOperation } from './operation.js';
import { allocate, type Tensor } from './tensor.js';

type UnaryName = (typeof unaryOps)[number];

function defineUnary(name: UnaryName): (x: Tensor) => Tensor {
  const op = unaryOps.indexOf(name);
  const operation = defineOperation({
    name,
    forward: ([a]: readonly [Tensor]) => {
      const out = allocate(a.backend, 'f32', a.shape);
      a.backend.run('unary_f32', { out, a }, { op });
      return { outputs: [out] };
    },
    backward: ({ inputs: [a] }, [dout]) => {
      const da = allocate(a.backend, 'f32', a.shape);
      a.backend.run('unary_backward_f32', { da, a, dout }, { op });
      return [da];
    },
  });
  return (x) => operation([x])[0];
}

/** `-x`. */
export const negate: (x: Tensor) => Tensor = defineUnary('negate');
/** `e^x`. */
export const exp: (x: Tensor) => Tensor = defineUnary('exp');
/** Natural logarithm. */
export const log: (x: Tensor) => Tensor = defineUnary('log');
/** Square root. */
export const sqrt: (x: Tensor) => Tensor = defineUnary('sqrt');
/** Hyperbolic tangent. */
export const tanh: (x: Tensor) => Tensor = defineUnary('tanh');
/** `1 / (1 + e^-x)`. */
export const sigmoid: (x: Tensor) => Tensor = defineUnary('sigmoid');
/** `max(x, 0)`; gradient 0 at 0. */
export const relu: (x: Tensor) => Tensor = defineUnary('relu');
/** `x · Φ(x)`, the exact form with erf. */
export const gelu: (x: Tensor) => Tensor = defineUnary('gelu');
/** `x · sigmoid(x)`. */
export const silu: (x: Tensor) => Tensor = defineUnary('silu');
/** `x²`. */
export const square: (x: Tensor) => Tensor = defineUnary('square');
/** `|x|`; gradient 0 at 0. */
export const abs: (x: Tensor) => Tensor = defineUnary('abs');
