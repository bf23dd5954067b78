/** erfc, Φ and φ against values from C's erfc, across the three intervals of the approximation. */

import { expect, it } from 'vitest';
import { erfc, normalDensity, normalDistribution } from './erf.js';

it.each([
  [-5, 1.9999999999984626],
  [-3.7, 1.9999998328489421],
  [-1, 1.842700792949715],
  [-0.46875, 1.492613473217938],
  [-0.1, 1.1124629160182848],
  [1e-9, 0.9999999988716208],
  [0.1, 0.8875370839817152],
  [0.46875, 0.507386526782062],
  [0.5, 0.4795001221869535],
  [1, 0.15729920705028513],
  [2.3, 0.0011431765973566523],
  [3.99, 1.6739211364520814e-8],
  [4, 1.541725790028002e-8],
  [4.01, 1.4196939421371052e-8],
  [6.5, 3.8421483271206475e-20],
  [10, 2.088487583762545e-45],
  [26, 5.663192408856143e-296],
])('erfc(%s)', (x, wanted) => {
  expect(Math.abs(erfc(x) / wanted - 1)).toBeLessThan(2e-15);
});

it('goes to 0 and 2, and keeps NaN', () => {
  expect([erfc(30), erfc(Infinity), erfc(-30), erfc(0)]).toEqual([0, 0, 2, 1]);
  expect(erfc(Number.NaN)).toBeNaN();
});

it('Φ is the integral of φ', () => {
  for (const x of [-6, -1.3, -0.2, 0, 0.4, 2.5]) {
    const slope = (normalDistribution(x + 1e-5) - normalDistribution(x - 1e-5)) / 2e-5;
    expect(slope).toBeCloseTo(normalDensity(x), 9);
  }
});
