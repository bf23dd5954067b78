/**
 * Elementwise arithmetic of two operands with broadcasting, and its gradient rules. A number may stand for a tensor.
 * Functions of one tensor are in unary.ts; `where` and `dropout` in choose.ts; elementwise.ts gathers all three.
 */

import { binaryOps, unaryOps } from '../backend/kernels.generated.js';
import { DTypeError } from '../core/errors.js';
import { broadcastShape, broadcastView, sumToShape } from './broadcast.js';
import { defineOperation } from './operation.js';
import { scope } from './scope.js';
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

/** dout where x > y, else 0: the gradient of relu at x - y. */
function passAbove(x: Tensor, y: Tensor, dout: Tensor): Tensor {
  const difference = combine('subtract', x, y);
  const operands = { da: difference, a: difference, dout };
  x.backend.run('unary_backward_f32', operands, { op: unaryOps.indexOf('relu') });
  return difference;
}

/** dout where x <= y, else 0. */
function passRest(x: Tensor, y: Tensor, dout: Tensor): Tensor {
  return combine('subtract', dout, passAbove(x, y, dout));
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
    (a, b, _out, dout) => passAbove(a, b, dout),
    (a, b, _out, dout) => passRest(a, b, dout),
  ),
  minimum: defineBinary(
    'minimum',
    (a, b, _out, dout) => passAbove(b, a, dout),
    (a, b, _out, dout) => passRest(b, a, dout),
  ),
};

/** A number as a tensor of rank 0 beside `like`. */
export function scalarLike(like: Tensor, value: number): Tensor {
  const out = allocate(like.backend, 'f32', []);
  like.backend.run('fill_f32', { out }, { value });
  return out;
}

function binary(name: BinaryName, a: Operand, b: Operand): Tensor {
  if (a instanceof Tensor && b instanceof Tensor) return operations[name](a, b);
  if (a instanceof Tensor) return scope(() => operations[name](a, scalarLike(a, b as number)));
  if (b instanceof Tensor) return scope(() => operations[name](scalarLike(b, a), b));
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

/** The smaller of a and b; where they are equal the gradient goes to b. */
export function minimum(a: Operand, b: Operand): Tensor {
  return binary('minimum', a, b);
}
