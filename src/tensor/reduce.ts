/**
 * Reductions over any axes: sum, mean, max, min, and argmax. Neighbouring axes go in one kernel call.
 */

import { binaryOps, unaryOps } from '../backend/kernels.generated.js';
import { checkAxes, checkAxis } from './axes.js';
import { broadcastView, folded, type ReduceName, reduceKept, viewOf } from './broadcast.js';
import { checkInputs, defineOperation } from './operation.js';
import { scope } from './scope.js';
import { allocate, type Tensor } from './tensor.js';

/** Axes to reduce over: one, several, or all of them when left out. */
export type Axes = number | readonly number[];

interface ReduceOptions {
  readonly axes: readonly number[];
  readonly keepAxes: boolean;
}
type One = readonly [Tensor];

/** Removes the reduced axes (size 1 by now) from the window. */
function dropAxes(kept: Tensor, { axes, keepAxes }: ReduceOptions): Tensor {
  if (keepAxes || axes.length === 0) return kept;
  const rest = (values: readonly number[]): number[] => values.filter((_, axis) => !axes.includes(axis));
  return kept.window(rest(kept.shape), rest(kept.strides), kept.offset);
}

/** Puts the reduced axes back with size 1. */
function restoreAxes(x: Tensor, { axes, keepAxes }: ReduceOptions): Tensor {
  if (keepAxes || axes.length === 0) return x;
  const shape = [...x.shape];
  const strides = [...x.strides];
  for (const axis of axes) {
    shape.splice(axis, 0, 1);
    strides.splice(axis, 0, 0);
  }
  return x.window(shape, strides, x.offset);
}

function reduced(name: ReduceName, x: Tensor, options: ReduceOptions): Tensor {
  return dropAxes(options.axes.length === 0 ? x.alias() : reduceKept(x, options.axes, name), options);
}

/** The gradient of a sum, seen at the shape of x by stride 0. */
function spread(x: Tensor, dout: Tensor, options: ReduceOptions): Tensor {
  const kept = restoreAxes(dout, options);
  return kept.window(x.shape, broadcastView(kept, x.shape).strides, kept.offset);
}

const sumOperation = defineOperation({
  name: 'sum',
  forward: ([x]: One, options: ReduceOptions) => ({ outputs: [reduced('sum', x, options)] }),
  backward: ({ inputs: [x], options }, [dout]) => [spread(x, dout, options)],
});

const meanOperation = defineOperation({
  name: 'mean',
  forward: ([x]: One, options: ReduceOptions) => ({ outputs: [reduced('mean', x, options)] }),
  backward: ({ inputs: [x], options }, [dout]) => {
    const scaled = allocate(x.backend, 'f32', dout.shape);
    x.backend.run('affine_f32', { out: scaled, a: dout }, { scale: dout.size / x.size, shift: 0 });
    return [spread(x, scaled, options)];
  },
});

/** The gradient goes to the extreme element; equal ones share it evenly. */
function defineExtreme(name: 'max' | 'min'): (inputs: One, options: ReduceOptions) => readonly [Tensor] {
  return defineOperation({
    name,
    forward: ([x]: One, options: ReduceOptions) => ({ outputs: [reduced(name, x, options)] }),
    backward: ({ inputs: [x], outputs: [out], options }, [dout]) => {
      const chosen = chosenElements(name, x, restoreAxes(out, options));
      const count = options.axes.length === 0 ? chosen : reduceKept(chosen, options.axes, 'sum');
      const share = allocate(x.backend, 'f32', count.shape);
      x.backend.run(
        'binary_f32',
        { out: share, a: restoreAxes(dout, options), b: count },
        { op: binaryOps.indexOf('divide') },
      );
      const dx = allocate(x.backend, 'f32', x.shape);
      const operands = { out: dx, a: chosen, b: broadcastView(share, x.shape) };
      x.backend.run('binary_f32', operands, { op: binaryOps.indexOf('multiply') });
      return [dx];
    },
  });
}

/** 1 where x equals the extreme of its group, else 0. */
function chosenElements(name: 'max' | 'min', x: Tensor, extreme: Tensor): Tensor {
  const distance = allocate(x.backend, 'f32', x.shape);
  const wide = broadcastView(extreme, x.shape);
  const operands = name === 'max' ? { a: wide, b: x } : { a: x, b: wide };
  x.backend.run('binary_f32', { out: distance, ...operands }, { op: binaryOps.indexOf('subtract') });
  const minusOne = allocate(x.backend, 'f32', []);
  x.backend.run('fill_f32', { out: minusOne }, { value: -1 });
  const elsewhere = { da: distance, a: distance, dout: broadcastView(minusOne, x.shape) }; // -1 where distance > 0
  x.backend.run('unary_backward_f32', elsewhere, { op: unaryOps.indexOf('relu') });
  x.backend.run('affine_f32', { out: distance, a: distance }, { scale: 1, shift: 1 });
  return distance;
}

const maxOperation = defineExtreme('max');
const minOperation = defineExtreme('min');

/** Sum over axes. `keepAxes` leaves them with size 1. */
export function sum(x: Tensor, axes?: Axes, keepAxes = false): Tensor {
  return sumOperation([x], { axes: checkAxes('sum', x, axes), keepAxes })[0];
}

/** Mean over axes. */
export function mean(x: Tensor, axes?: Axes, keepAxes = false): Tensor {
  return meanOperation([x], { axes: checkAxes('mean', x, axes), keepAxes })[0];
}

/** Largest element over axes. */
export function max(x: Tensor, axes?: Axes, keepAxes = false): Tensor {
  return maxOperation([x], { axes: checkAxes('max', x, axes), keepAxes })[0];
}

/** Smallest element over axes. */
export function min(x: Tensor, axes?: Axes, keepAxes = false): Tensor {
  return minOperation([x], { axes: checkAxes('min', x, axes), keepAxes })[0];
}

/** Index of the largest element along one axis, the first of equals: i32, the axis removed. Not differentiable. */
export function argmax(x: Tensor, axis = -1): Tensor {
  checkInputs('argmax', [x]);
  const at = checkAxis('argmax', x, axis);
  const shape = x.shape.filter((_, other) => other !== at);
  return scope(() => {
    const a = folded(x, [at, at + 1, x.shape.length]); // [M, K, N]
    const out = allocate(x.backend, 'i32', shape);
    const [M, , N] = a.shape as readonly [number, number, number];
    x.backend.run('argmax_f32', { out: viewOf(out, [M, N], [N, 1]), a }, {});
    return out;
  });
}
