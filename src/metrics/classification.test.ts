import { describe, expect, test } from 'vitest';
import { ShapeError, StateError } from '../core/errors.js';
import { Classification } from './classification.js';

test('binary: 3 hits, 1 false alarm, 2 misses, 4 rightly refused', () => {
  const counts = new Classification(2);
  counts.add([1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 1]);
  counts.add([0, 0, 0, 0], [0, 0, 0, 0]);
  expect(counts.scores(1)).toEqual({ precision: 3 / 4, recall: 3 / 5, f1: 6 / 9 });
  expect(counts.scores(0)).toEqual({ precision: 4 / 6, recall: 4 / 5, f1: 8 / 11 });
});

describe('three classes, worked by hand', () => {
  const counts = new Classification(3);
  // rows: truth 0: 2 right, 1 taken for 1; truth 1: 1 right; truth 2: never found, taken for 0 twice.
  counts.add([0, 0, 1, 1, 0, 0], [0, 0, 0, 1, 2, 2]);

  test('per class; a class never predicted scores 0', () => {
    expect(counts.scores(0)).toEqual({ precision: 2 / 4, recall: 2 / 3, f1: 4 / 7 });
    expect(counts.scores(1)).toEqual({ precision: 1 / 2, recall: 1, f1: 2 / 3 });
    expect(counts.scores(2)).toEqual({ precision: 0, recall: 0, f1: 0 });
  });

  test('macro is the mean of classes, micro is accuracy', () => {
    const { precision, recall, f1 } = counts.macro();
    expect(precision).toBeCloseTo(1 / 3, 12);
    expect(recall).toBeCloseTo(5 / 9, 12);
    expect(f1).toBeCloseTo((4 / 7 + 2 / 3) / 3, 12);
    expect(counts.micro()).toEqual({ precision: 0.5, recall: 0.5, f1: 0.5 });
  });
});

test('wrong labels and sizes are errors', () => {
  const counts = new Classification(2);
  expect(() => counts.add([1], [1, 0])).toThrow(ShapeError);
  for (const label of [2, -1, 0.5]) expect(() => counts.add([label], [0])).toThrow(StateError);
  expect(() => new Classification(1)).toThrow(StateError);
});
