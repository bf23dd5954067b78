import { expect, test } from 'vitest';
import { StateError } from '../core/errors.js';
import { EditDistanceRate } from './editDistanceRate.js';

const sounds = (text: string): string[] => text.split(' ');

test('a table worked by hand', () => {
  const rate = new EditDistanceRate();
  // Right by the second variant: 0 of 3.
  rate.add(sounds('R IY D'), [sounds('R EH D'), sounds('R IY D')]);
  // Two substitutions against the first, one against the second: 1 of 4.
  rate.add(sounds('K AH T S'), [sounds('K AE T Z'), sounds('K AE T S')]);
  // Nothing predicted: 2 of 2.
  rate.add([], [sounds('AH B')]);
  expect(rate.sequences).toBe(3);
  expect(rate.symbolErrorRate).toBeCloseTo(3 / 9, 15);
  expect(rate.sequenceErrorRate).toBeCloseTo(2 / 3, 15);
});

test('micro-averaged: a long word weighs more than a short one', () => {
  const rate = new EditDistanceRate();
  rate.add('a', ['b']);
  rate.add('aaaaaaaaa', ['aaaaaaaaa']);
  expect(rate.symbolErrorRate).toBe(0.1);
});

test('equally close references: the shorter counts, in any order', () => {
  for (const references of [
    ['ab', 'abcd'],
    ['abcd', 'ab'],
  ]) {
    const rate = new EditDistanceRate();
    rate.add('abc', references);
    expect(rate.symbolErrorRate).toBe(1 / 2);
  }
});

test('a babbling model exceeds 1', () => {
  const rate = new EditDistanceRate();
  rate.add('xxxx', ['a']);
  expect([rate.symbolErrorRate, rate.sequenceErrorRate]).toEqual([4, 1]);
});

test('nothing yet is NaN; no reference is a StateError', () => {
  const rate = new EditDistanceRate();
  expect(rate.symbolErrorRate).toBeNaN();
  expect(rate.sequenceErrorRate).toBeNaN();
  expect(() => rate.add('a', [])).toThrow(StateError);
});
