import fc from 'fast-check';
import { expect, test } from 'vitest';
import { StateError } from '../core/errors.js';
import { histogramOf } from './histogram.js';

test('a table worked by hand: bins end at their limit', () => {
  expect(histogramOf([0, 1, 2, 2, 4], 4)).toEqual({
    ...{ count: 5, minimum: 0, maximum: 4, sum: 9, squareSum: 25 },
    ...{ limits: [1, 2, 3, 4], counts: [2, 2, 0, 1] },
  });
});

test('equal values, none, and such as are no numbers', () => {
  expect(histogramOf([3, 3], 2)).toMatchObject({ limits: [3, 3], counts: [2, 0], minimum: 3, maximum: 3 });
  for (const values of [[], [Number.NaN, Number.POSITIVE_INFINITY]]) expect(histogramOf(values).count).toBe(0);
  expect(histogramOf([1, Number.NaN, 2], 1)).toMatchObject({ count: 2, counts: [2] });
  expect(() => histogramOf([1], 0)).toThrow(StateError);
});

test('every value is counted once, in its bin', () => {
  const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 9 }), (all, bins) => {
      const { counts, limits } = histogramOf(all, bins);
      let low = Number.NEGATIVE_INFINITY;
      for (const [index, high] of limits.entries()) {
        expect(counts[index]).toBe(all.filter((value) => value > low && value <= high).length);
        low = high;
      }
    }),
  );
});
