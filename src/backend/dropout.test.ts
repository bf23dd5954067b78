/** The dropout generator: a fixed sequence (the C++ text must give the same), the right rate, no visible structure. */

import { describe, expect, it } from 'vitest';
import { dropoutKeep, dropoutRowKey, mix32 } from './dropout.js';

function keptShare(seed: number, stream: number, row: number, rate: number, columns: number): number {
  const key = dropoutRowKey(seed, stream, row);
  let kept = 0;
  for (let column = 0; column < columns; column++) kept += Number(dropoutKeep(key, column, Math.round(rate * 2 ** 24)));
  return kept / columns;
}

describe('dropout generator', () => {
  it('is lowbias32', () => {
    // Reference values computed from the published C text.
    expect([0, 1, 2, 0xffffffff].map(mix32)).toEqual([0, 1753845952, 3507691905, 1734902346]);
  });

  it.each([0.1, 0.5, 0.9])('keeps the share 1 - %s, to five standard deviations', (rate) => {
    const columns = 100_000;
    const deviation = Math.sqrt((rate * (1 - rate)) / columns);
    for (const row of [0, 1, 77]) {
      expect(Math.abs(keptShare(12, 3, row, rate, columns) - (1 - rate))).toBeLessThan(5 * deviation);
    }
  });

  it('keeps all at rate 0 and none at rate 1', () => {
    expect(keptShare(5, 1, 0, 0, 1000)).toBe(1);
    expect(keptShare(5, 1, 0, 1, 1000)).toBe(0);
  });

  it('gives every row, stream and seed its own mask', () => {
    const keys = [dropoutRowKey(1, 1, 1), dropoutRowKey(1, 1, 2), dropoutRowKey(1, 2, 1), dropoutRowKey(2, 1, 1)];
    const masks = keys.map((key) =>
      Array.from({ length: 64 }, (_, column) => dropoutKeep(key, column, 2 ** 23)).join(),
    );
    expect(new Set(masks).size).toBe(4);
  });
});
