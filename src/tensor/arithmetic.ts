/**
 * Elementwise arithmetic of two operands with broadcasting, and its gradient rules. A number may stand for a tensor.
 * Functions of one tensor are in unary.ts; `where` and `dropout` in choose.ts; elementwise.ts gathers all three.
 */

import type { View } from '../backend/contract.js';
import { binaryOps, unaryOps } from '../backend/kernels.generated.js';
import { DTypeError } from '../core/errors.js';
import { broadcastShape, broadcastView, sumToShape } from './broadcast.js';
import { defineOperation } from './operation.js';
import { allocate, Tensor } from './tensor.js';

/** A tensor, or a number that broadcasts with one. */
export type Operand = Tensor | number;

type BinaryName = (typeof binaryOps)[number];

/** `a ∘ b` into fresh memory, without recording. */
function combine(name: BinaryName, a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShape(name, a.shape, b.shape);
  const out = allocate(a.backend, 'f32', shape);
  const operands = { out, a: broadcastView(a, shape), b: broadcastView(b, shape) };
  a.backend.run('binary_f32', operands, { op: binaryOps.indexOf(name) });
  return out;
}

function scaled(x: Tensor, scale: number, shift = 0): Tensor {
  const out = allocate(x.backend, 'f32', x.shape);
  x.backend.run('affine_f32', { out, a: x }, { scale, shift });
  return out;
}

/** `gradient` where difference > 0, else 0: the gradient of relu, used as a comparison. */
function whereAbove(difference: Tensor, gradient: View): Tensor {
  const out = allocate(difference.backend, 'f32', difference.shape);
  const operands = { da: out, a: difference, dout: gradient };
  difference.backend.run('unary_backward_f32', operands, { op: unaryOps.indexOf('relu') });
  return out;
}

/** Gradients of max(a, b): to a where a > b, else to b. For min(a, b) the roles swap. */
function extremeGradients(larger: Tensor, smaller: Tensor, dout: Tensor): readonly [Tensor, Tensor] {
  const above = whereAbove(combine('subtract', larger, smaller), dout);
  return [above, combine('subtract', dout, above)];
}

type BinaryGradient = (a: Tensor, b: Tensor, out: Tensor, dout: Tensor) => Tensor;

/** Declares a broadcasting operation from the two partial gradients at full shape. */
function defineBinary(name: BinaryName, da: BinaryGradient, db: BinaryGradient): (a: Tensor, b: Tensor) => Tensor {
  const operation = defineOperation({
    name,
    forward: ([a, b]: readonly [Tensor, Tensor]) => ({ outputs: [combine(name, a, b)] }),
    backward: ({ inputs: [a, b], outputs: [out], needs }, [dout]) => [
      needs[0] ? sumToShape(da(a, b, out, dout), a.shape) : undefined,
      needs[1] ? sumToShape(db(a, b, out, dout), b.shape) : undefined,
    ],
  });
  return (a, b) => operation([a, b])[0];
}

const same: BinaryGradient = (_a, _b, _out, dout) => dout;

const operations = {
  add: defineBinary('add', same, same),
  subtract: defineBinary('subtract', same, (_a, _b, _out, dout) => scaled(dout, -1)),
  multiply: defineBinary(
    'multiply',
    (_a, b, _out, dout) => combine('multiply', dout, b),
    (a, _b, _out, dout) => combine('multiply', dout, a),
  ),
  divide: defineBinary(
    'divide',
    (_a, b, _out, dout) => combine('divide', dout, b),
    (_a, b, out, dout) => scaled(combine('divide', combine('multiply', dout, out), b), -1),
  ),
  maximum: defineBinary(
    'maximum',
    (a, b, _out, dout) => extremeGradients(a, b, dout)[0],
    (a, b, _out, dout) => extremeGradients(a, b, dout)[1],
  ),
  minimum: defineBinary(
    'minimum',
    (a, b, _out, dout) => extremeGradients(b, a, dout)[1],
    (a, b, _out, dout) => extremeGradients(b, a, dout)[0],
  ),
};

/** A number as a tensor of rank 0 beside `like`. */
export function scalarLike(like: Tensor, value: number): Tensor {
  const out = allocate(like.backend, 'f32', []);
  like.backend.run('fill_f32', { out }, { value });
  return out;
}

function binary(name: BinaryName, a: Operand, b: Operand): Tensor {
  if (a instanceof Tensor) return operations[name](a, b instanceof Tensor ? b : scalarLike(a, b));
  if (b instanceof Tensor) return operations[name](scalarLike(b, a), b);
  throw new DTypeError(`${name}: expected at least one tensor, got ${a} and ${b}`);
}

const affineOperation = defineOperation({
  name: 'affine',
  forward: ([x]: readonly [Tensor], { scale, shift }: { scale: number; shift: number }) => ({
    outputs: [scaled(x, scale, shift)],
  }),
  backward: ({ options: { scale } }, [dout]) => [scale === 1 ? dout : scaled(dout, scale)],
});

/** `scale · x + shift`. */
export function affine(x: Tensor, scale: number, shift = 0): Tensor {
  return affineOperation([x], { scale, shift })[0];
}

/** `a + b`. */
export function add(a: Operand, b: Operand): Tensor {
  if (typeof b === 'number' && a instanceof Tensor) return affine(a, 1, b);
  if (typeof a === 'number' && b instanceof Tensor) return affine(b, 1, a);
  return binary('add', a, b);
}

/** `a - b`. */
export function subtract(a: Operand, b: Operand): Tensor {
  if (typeof b === 'number' && a instanceof Tensor) return affine(a, 1, -b);
  if (typeof a === 'number' && b instanceof Tensor) return affine(b, -1, a);
  return binary('subtract', a, b);
}

/** `a · b`, element by element. */
export function multiply(a: Operand, b: Operand): Tensor {
  if (typeof b === 'number' && a instanceof Tensor) return affine(a, b);
  if (typeof a === 'number' && b instanceof Tensor) return affine(b, a);
  return binary('multiply', a, b);
}

/** `a / b`. */
export function divide(a: Operand, b: Operand): Tensor {
  return binary('divide', a, b);
}

/** The larger of a and b; where they are equal the gradient goes to b. */
export function maximum(a: Operand, b: Operand): Tensor {
  return binary('maximum', a, b);
}

/** The smaller of a and b; where they are equal the gradient goes to a. */
export function minimum(a: Operand, b: Operand): Tensor {
  return binary('minimum', a, b);
}
