import { beforeEach, expect, test } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { ShapeError } from '../core/errors.js';
import { full, getBackend, normal, ones, setBackend, tensor, uniform, zeros } from './index.js';

beforeEach(() => setBackend(createReferenceBackend()));

test('values: nested, flat, scalar, typed, boolean', () => {
  expect(
    tensor([
      [1, 2],
      [3, 4],
    ]).shape,
  ).toEqual([2, 2]);
  expect(tensor(5).shape).toEqual([]);
  expect(tensor(5).item()).toBe(5);
  expect(tensor([1, 2, 3, 4], [2, 2]).toArray()).toEqual(Float32Array.of(1, 2, 3, 4));
  expect(tensor(Int32Array.of(1, 2)).dtype).toBe('i32');
  expect(tensor(Uint8Array.of(1, 0), [1, 2]).dtype).toBe('u8');
  expect(tensor([true, false], [2], { dtype: 'u8' }).toArray()).toEqual(Uint8Array.of(1, 0));
  expect(tensor([], [0, 3]).toArray()).toHaveLength(0);
});

test('constants of every dtype, even in reused memory', () => {
  ones([20]).dispose();
  expect(zeros([20]).toArray()).toEqual(new Float32Array(20));
  expect(full([2], 3, { dtype: 'i32' }).toArray()).toEqual(Int32Array.of(3, 3));
  expect(full([2], 1, { dtype: 'u8' }).toArray()).toEqual(Uint8Array.of(1, 1));
  expect(ones([2], { requiresGrad: true }).requiresGrad).toBe(true);
});

test('random fills draw in row-major order', () => {
  let draws = 0;
  const random = { uniform: () => draws++ / 4, normal: () => draws++ };
  expect([...uniform([2, 2], { random, low: -1, high: 1 }).toArray()]).toEqual([-1, -0.5, 0, 0.5]);
  expect([...normal([2], { random, mean: 1, std: 2 }).toArray()]).toEqual([9, 11]);
});

test('read is toArray as a promise', async () => {
  expect(await tensor([1, 2]).read()).toEqual(Float32Array.of(1, 2));
});

test('errors', () => {
  expect(() => tensor([[1, 2], [3]])).toThrow(
    'tensor: expected nested arrays of one shape = [2, 2], got length 1 at depth 1',
  );
  expect(() => tensor([1, [2]])).toThrow(ShapeError);
  expect(() => tensor([1, 2, 3], [2, 2])).toThrow('tensor: expected 4 values for shape [2, 2], got 3');
  expect(() => zeros([2, -1])).toThrow('tensor: expected whole, non-negative sizes, got [2, -1]');
  expect(() => ones([2]).item()).toThrow('item: expected a tensor of 1 element, got [2]');
  expect(getBackend().info.backend).toBe('reference');
});
