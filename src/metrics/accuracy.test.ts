import { expect, test } from 'vitest';
import { ShapeError } from '../core/errors.js';
import { Accuracy } from './accuracy.js';

test('counts over several batches', () => {
  const accuracy = new Accuracy();
  expect(accuracy.value).toBeNaN();
  accuracy.add([1, 2, 3], [1, 2, 4]);
  accuracy.add(Int32Array.of(5), [5]);
  expect([accuracy.value, accuracy.total]).toEqual([0.75, 4]);
});

test('padding is not counted, right or wrong', () => {
  const accuracy = new Accuracy({ ignore: 0 });
  accuracy.add([7, 0, 8, 9], [7, 0, 0, 0]);
  expect([accuracy.value, accuracy.total]).toEqual([1, 1]);
  accuracy.add([0], [3]);
  expect(accuracy.value).toBe(0.5);
});

test('unequal numbers are a ShapeError', () => {
  expect(() => new Accuracy().add([1, 2], [1])).toThrow(ShapeError);
});
