import { expect, test } from 'vitest';
import { hash32 } from './hash.js';

test('values are fixed for ever: splits and seeds of stored runs depend on them', () => {
  expect(['', 'a', 'keyhole', 'Straße'].map(hash32)).toEqual([2872998923, 444641715, 2082283114, 3622450635]);
});

test('every bit of the hash is fair', () => {
  const ones = new Array<number>(32).fill(0);
  for (let index = 0; index < 10_000; index++) {
    const hash = hash32(`word ${index}`);
    for (let bit = 0; bit < 32; bit++) ones[bit] = (ones[bit] ?? 0) + ((hash >>> bit) & 1);
  }
  // Standard deviation 50; 5 of them.
  for (const count of ones) expect(Math.abs(count - 5000)).toBeLessThan(250);
});
