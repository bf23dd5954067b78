import { beforeEach, describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { DTypeError, KeyholeError, ShapeError, StateError } from '../core/errors.js';
import {
  adamwUpdate,
  backward,
  concat,
  copyInto,
  crossEntropy,
  embedding,
  fillInto,
  layerNorm,
  logSoftmax,
  ones,
  rmsNorm,
  scaleInto,
  setBackend,
  slice,
  softmax,
  split,
  square,
  squareSum,
  sum,
  type Tensor,
  tensor,
  transpose,
  zeros,
} from './index.js';

beforeEach(() => setBackend(createReferenceBackend({ precision: 'f64' })));
const values = (x: Tensor): number[] => Array.from(x.toArray());

describe('concat and split', () => {
  test('put pieces side by side and take them apart without copying', () => {
    const a = tensor([1, 2, 3, 4], [2, 2]);
    const joined = concat([a, transpose(a), tensor([9, 8], [2, 1])], 1);
    expect(values(joined)).toEqual([1, 2, 1, 3, 9, 3, 4, 2, 4, 8]);
    const [left, , right] = split(joined, [2, 2, 1], 1) as [Tensor, Tensor, Tensor];
    expect(values(left)).toEqual([1, 2, 3, 4]);
    expect(values(right)).toEqual([9, 8]);
    expect(right.buffer).toBe(joined.buffer);
  });

  test('errors', () => {
    expect(() => concat([], 0)).toThrow(ShapeError);
    expect(() => concat([ones([2, 2]), ones([3, 3])], 0)).toThrow(
      'concat: expected every shape to match [2, 2] except on axis 0, got [3, 3]',
    );
    expect(() => concat([ones([2, 2]), ones([2])], 0)).toThrow(ShapeError);
    expect(() => split(ones([4]), [1, 2], 0)).toThrow('split: expected sizes that add up to 4, got [1, 2]');
  });
});

describe('embedding', () => {
  test('copies rows, for ids of any shape and stride', () => {
    const table = tensor([0, 1, 10, 11, 20, 21], [3, 2]);
    const ids = tensor(Int32Array.of(2, 0, 1, 2), [2, 2]);
    expect(values(embedding(table, ids))).toEqual([20, 21, 0, 1, 10, 11, 20, 21]);
    expect(values(embedding(table, transpose(ids)))).toEqual([20, 21, 10, 11, 0, 1, 20, 21]);
    expect(embedding(table, ids).shape).toEqual([2, 2, 2]);
  });

  test('errors', () => {
    expect(() => embedding(ones([3, 2]), ones([2]))).toThrow(DTypeError);
    expect(() => embedding(ones([3]), tensor(Int32Array.of(0)))).toThrow(ShapeError);
    expect(() => embedding(ones([3, 2]), tensor(Int32Array.of(3)))).toThrow(KeyholeError);
  });
});

describe('rows', () => {
  test('softmax and its logarithm along any axis', () => {
    const x = tensor([0, Math.log(3), 1000, 1000], [2, 2]);
    expect(values(softmax(x)).map((value) => Math.round(value * 1e9) / 1e9)).toEqual([0.25, 0.75, 0.5, 0.5]);
    expect(values(logSoftmax(x))[0]).toBeCloseTo(Math.log(0.25), 12);
    expect(values(sum(softmax(transpose(x), 0), 0))[0]).toBeCloseTo(1, 12);
    expect(values(softmax(tensor([-Infinity, -Infinity], [1, 2])))).toEqual([0, 0]);
  });

  test('layer norm and RMS norm', () => {
    const x = tensor([1, 3, 10, 14], [2, 2]);
    expect(values(layerNorm(x, tensor([2, 2]), tensor([1, 1]), 0))).toEqual([-1, 3, -1, 3]);
    const scale = Math.sqrt((1 + 9) / 2);
    expect(values(rmsNorm(x, undefined, 0))[1]).toBeCloseTo(3 / scale, 12);
    expect(() => layerNorm(x, ones([3]))).toThrow('layerNorm: expected gamma [E] = [2] to match x [2, 2], got [3]');
  });

  test('cross-entropy with smoothing and ignored rows', () => {
    const logits = tensor([0, 0, Math.log(2), 5, 5, 5], [2, 3]);
    const loss = values(crossEntropy(logits, tensor(Int32Array.of(2, -1))));
    expect(loss[0]).toBeCloseTo(Math.log(4) - Math.log(2), 12);
    expect(loss[1]).toBe(0);
    const smooth = values(crossEntropy(logits, tensor(Int32Array.of(2, 0)), { smoothing: 0.3 }));
    expect(smooth[0]).toBeCloseTo(Math.log(4) - 0.7 * Math.log(2) - 0.1 * Math.log(2), 12);
    expect(() => crossEntropy(logits, tensor(Int32Array.of(1)))).toThrow(
      'crossEntropy: expected targets [2] to match logits [2, 3], got [1]',
    );
    expect(() => crossEntropy(logits, ones([2]))).toThrow(DTypeError);
  });
});

describe('updates in place', () => {
  test('AdamW follows the formula', () => {
    const parameter = tensor([1], [1], { requiresGrad: true });
    const [m, v] = [zeros([1]), zeros([1])];
    const options = { rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 0, decay: 0.5 };
    adamwUpdate(parameter, m, v, tensor([4]), { ...options, step: 1, gradientScale: 0.5 });
    expect(parameter.item()).toBeCloseTo(1 - 0.1 * 0.5 - 0.1, 12);
    expect(m.item()).toBeCloseTo(0.2, 12);
    expect(v.item()).toBeCloseTo(0.04, 12);
    expect(() => adamwUpdate(parameter, m, v, zeros([2]), { ...options, step: 2 })).toThrow(
      'adamwUpdate: expected packed gradient [1], got [2] with strides [1]',
    );
  });

  test('squareSum, copyInto, fillInto, scaleInto', () => {
    const a = tensor([1, 2, 3, 4], [2, 2]);
    expect(squareSum([a, transpose(a), tensor([2])]).item()).toBe(64);
    copyInto(slice(a, 1, 1, 2), tensor([9], [1, 1]));
    expect(values(a)).toEqual([1, 9, 3, 9]);
    fillInto(slice(a, 0, 0, 1), 5);
    scaleInto(transpose(a), 2);
    expect(values(a)).toEqual([10, 10, 6, 18]);
    expect(() => copyInto(a, ones([3]))).toThrow(ShapeError);
    expect(() => squareSum([])).toThrow(ShapeError);
  });

  test('results of recorded operations are refused', () => {
    const y = square(ones([2], { requiresGrad: true }));
    expect(() => scaleInto(y, 2)).toThrow(StateError);
    expect(() => copyInto(y, ones([2]))).toThrow(/got the result of square/);
    backward(sum(y));
  });
});
