import { expect, test } from 'vitest';
import { StateError } from '../core/errors.js';
import { splitBy, splitOf } from './split.js';

const words = Array.from({ length: 20_000 }, (_, index) => `word${index}`);

test('shares come out as asked', () => {
  const { train, validation, test: held } = splitBy(words, (word) => word);
  expect(train.length + validation.length + held.length).toBe(words.length);
  expect(train.length / words.length).toBeCloseTo(0.9, 2);
  expect(validation.length / words.length).toBeCloseTo(0.05, 2);
  const halves = splitBy(words, (word) => word, { train: 1, validation: 0, test: 1 });
  expect(halves.validation).toEqual([]);
  expect(halves.train.length / words.length).toBeCloseTo(0.5, 1);
});

test('a word keeps its side whatever the others are', () => {
  const all = splitBy(words, (word) => word);
  const few = splitBy(words.slice(0, 500).reverse(), (word) => word);
  expect([...few.test].reverse()).toEqual(all.test.filter((word) => Number(word.slice(4)) < 500));
});

test('one key, one side', () => {
  const variants = words.slice(0, 3000).flatMap((word) => [`${word}/1`, `${word}/2`]);
  const parts = splitBy(variants, (variant) => variant.split('/')[0] ?? '');
  const sides = Object.values(parts).map((part) => new Set(part.map((variant) => variant.split('/')[0])));
  expect(sides.reduce((total, side) => total + side.size, 0)).toBe(3000);
});

test('the split of a stored run never moves', () => {
  expect(
    words
      .slice(0, 2000)
      .filter((word) => splitOf(word) === 'test')
      .slice(0, 3),
  ).toEqual(['word12', 'word45', 'word59']);
});

test('bad ratios are StateErrors', () => {
  for (const train of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => splitOf('a', { train, validation: 1, test: 1 })).toThrow(StateError);
  }
  expect(() => splitOf('a', { train: 0, validation: 0, test: 0 })).toThrow(StateError);
});
