import { expect, test } from 'vitest';
import { perplexity, RunningMean } from './runningMean.js';

function meanOf(pairs: readonly (readonly [number, number?])[]): number {
  const mean = new RunningMean();
  for (const [value, weight] of pairs) mean.add(value, weight);
  return mean.value;
}

test('weights count as so many observations', () => {
  expect(meanOf([[2], [4], [9]])).toBe(5);
  expect(
    meanOf([
      [2, 3],
      [4, 1],
    ]),
  ).toBe(2.5);
  expect(
    meanOf([
      [100, 0],
      [1, 1],
    ]),
  ).toBe(1);
});

test('nothing gives NaN; NaN and infinity stay what they are', () => {
  expect(new RunningMean().value).toBeNaN();
  expect(meanOf([[1], [Number.NaN]])).toBeNaN();
  expect(meanOf([[1], [Number.POSITIVE_INFINITY], [1]])).toBe(Number.POSITIVE_INFINITY);
});

test('small values survive beside large ones', () => {
  expect(meanOf([[1e16], [1], [-1e16], [1]])).toBe(0.5);
  const tenths = new RunningMean();
  for (let count = 0; count < 100_000; count++) tenths.add(0.1);
  expect(tenths.value).toBe(0.1);
});

test('perplexity of a uniform guess is the number of choices', () => {
  expect(perplexity(Math.log(39))).toBeCloseTo(39, 10);
  expect(perplexity(0)).toBe(1);
});
