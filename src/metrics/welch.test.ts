import { describe, expect, it } from 'vitest';
import { meanAndDeviation, welchTest } from './welch.js';

describe('welchTest', () => {
  it('gives the values of the t distribution', () => {
    // Equal lots of two with equal spread have 2 degrees of freedom: p = 1 - t / sqrt(2 + t²).
    const t = 3 / Math.sqrt(0.5); // means 0.5 and 3.5, variances 0.5 of each: sqrt(0.25 + 0.25)
    expect(welchTest([0, 1], [3, 4])).toBeCloseTo(1 - t / Math.sqrt(2 + t * t), 9);
    expect(welchTest([1, 2, 3], [1, 2, 3])).toBeCloseTo(1, 12);
  });

  it('knows lots that do not vary, and lots that are too small', () => {
    expect(welchTest([1, 1], [1, 1])).toBe(1);
    expect(welchTest([1, 1], [2, 2])).toBe(0);
    expect(welchTest([1], [2, 3])).toBeNaN();
    expect(meanAndDeviation([2, 4])).toEqual({ mean: 3, deviation: Math.SQRT2 });
    expect(() => meanAndDeviation([])).toThrow(/expected values/);
  });
});
