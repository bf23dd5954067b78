import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editDistance, nearest } from './editDistance.js';

test.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['abc', '', 3],
  ['kitten', 'sitting', 3],
  ['sunday', 'saturday', 3],
  ['ab', 'ba', 2],
  ['intention', 'execution', 5],
])('%j to %j takes %i', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});

test('symbols are compared whole', () => {
  expect(editDistance(['K', 'IY', 'HH'], ['K', 'IH', 'HH', 'OW'])).toBe(2);
  expect(editDistance(Int32Array.of(1, 2), [1, 3])).toBe(1);
});

describe('a metric', () => {
  const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 8 });

  test('symmetric, zero only for equals, within bounds, triangle', () => {
    fc.assert(
      fc.property(word, word, word, (a, b, c) => {
        const distance = editDistance(a, b);
        expect(distance).toBe(editDistance(b, a));
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeLessThanOrEqual(editDistance(a, c) + editDistance(c, b));
      }),
    );
  });
});

test('nearest', () => {
  expect(nearest('lerningRate', ['steps', 'learningRate', 'seed'])).toBe('learningRate');
  expect(nearest('x', ['ab', 'cd'])).toBe('ab');
  expect(nearest('x', [])).toBeUndefined();
});
