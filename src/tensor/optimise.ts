/**
 * Updates in place, for optimisers, gradient clipping and caches: the only functions that overwrite a tensor.
 * They are never recorded, so they refuse tensors that a recorded operation made.
 */

import { binaryOps } from '../backend/kernels.generated.js';
import { ShapeError, StateError } from '../core/errors.js';
import { formatShape, isPacked, sameShape } from '../core/shape.js';
import { broadcastShape, broadcastView, flatOf, viewOf } from './broadcast.js';
import { checkInputs } from './operation.js';
import { scope } from './scope.js';
import { allocate, type Tensor } from './tensor.js';

function checkWritable(name: string, target: Tensor): void {
  if (target.producer === undefined) return;
  throw new StateError(
    `${name}: expected a leaf, got the result of ${target.producer.name}; overwriting it would spoil gradients`,
  );
}

export interface AdamWOptions {
  /** Learning rate. */
  readonly rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled weight decay, multiplied by the rate. */
  readonly decay: number;
  /** Number of this update, from 1: for the bias correction. */
  readonly step: number;
  /** Multiplies the gradient first: clipping and averaging without another pass. Default 1. */
  readonly gradientScale?: number;
}

function packedFlat(name: string, label: string, x: Tensor, like: Tensor): ReturnType<typeof viewOf> {
  if (!sameShape(x.shape, like.shape) || !isPacked(x.shape, x.strides)) {
    throw new ShapeError(
      `${name}: expected packed ${label} ${formatShape(like.shape)}, got ${formatShape(x.shape)} with strides ${formatShape(x.strides)}`,
    );
  }
  return viewOf(x, [x.size], [1]);
}

/**
 * One AdamW update in place of `parameter` and its moments m, v (all of one shape, packed).
 * Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2.
 */
export function adamwUpdate(parameter: Tensor, m: Tensor, v: Tensor, gradient: Tensor, options: AdamWOptions): void {
  checkInputs('adamwUpdate', [parameter, m, v, gradient]);
  checkWritable('adamwUpdate', parameter);
  const flat = (label: string, x: Tensor) => packedFlat('adamwUpdate', label, x, parameter);
  parameter.backend.run(
    'adamw_f32',
    {
      parameter: flat('parameter', parameter),
      m: flat('m', m),
      v: flat('v', v),
      gradient: flat('gradient', gradient),
    },
    { gradientScale: 1, ...options },
  );
}

/** Σ x² over all elements of all tensors, as a tensor of shape [1]; each tensor is summed in float64. */
export function squareSum(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new ShapeError('squareSum: expected at least one tensor, got none');
  checkInputs('squareSum', tensors);
  const { backend } = first;
  return scope(() => {
    const parts = allocate(backend, 'f32', [tensors.length]);
    tensors.forEach((x, at) => {
      backend.run('square_sum_f32', { out: { ...viewOf(parts, [1], [1]), offset: at }, a: flatOf(x) }, {});
    });
    const total = allocate(backend, 'f32', [1]);
    const operands = { out: viewOf(total, [1, 1], [1, 1]), a: viewOf(parts, [1, tensors.length, 1], [0, 1, 1]) };
    backend.run('reduce_f32', operands, { op: 0 });
    return total;
  });
}

/** Copies source into target, which may be a view (a slice of a cache); source broadcasts. */
export function copyInto(target: Tensor, source: Tensor): void {
  checkInputs('copyInto', [target, source]);
  checkWritable('copyInto', target);
  if (!sameShape(broadcastShape('copyInto', target.shape, source.shape), target.shape)) {
    throw new ShapeError(
      `copyInto: expected a source that broadcasts to ${formatShape(target.shape)}, got ${formatShape(source.shape)}`,
    );
  }
  target.backend.run('copy_f32', { out: target, a: broadcastView(source, target.shape) }, {});
}

/** `target = factor · target + share · source`, in place, for tensors of one shape. */
export function mixInto(target: Tensor, factor: number, source: Tensor, share: number): void {
  checkInputs('mixInto', [target, source]);
  checkWritable('mixInto', target);
  if (!sameShape(target.shape, source.shape)) {
    throw new ShapeError(
      `mixInto: expected a source of shape ${formatShape(target.shape)}, got ${formatShape(source.shape)}`,
    );
  }
  const { backend } = target;
  scope(() => {
    const part = allocate(backend, 'f32', source.shape);
    backend.run('affine_f32', { out: part, a: source }, { scale: share, shift: 0 });
    if (factor !== 1) backend.run('affine_f32', { out: target, a: target }, { scale: factor, shift: 0 });
    backend.run('binary_f32', { out: target, a: target, b: part }, { op: binaryOps.indexOf('add') });
  });
}

/** Sets every element. */
export function fillInto(target: Tensor, value: number): void {
  checkInputs('fillInto', [target]);
  checkWritable('fillInto', target);
  target.backend.run('fill_f32', { out: target }, { value });
}

/** Multiplies every element by a factor. */
export function scaleInto(target: Tensor, factor: number): void {
  checkInputs('scaleInto', [target]);
  checkWritable('scaleInto', target);
  target.backend.run('affine_f32', { out: target, a: target }, { scale: factor, shift: 0 });
}
