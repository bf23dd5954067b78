/**
 * Block maps against brute force: every pair of every block, for each mask and for random compositions. A block that is
 * all one must not be called partial, and no shortcut by ranges may call one wrongly.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allowsPair, type BlockMap, compileMask } from '../../src/attention/blockMap.js';
import type { MaskSizes } from '../../src/attention/maskPredicate.js';
import { composed, type Defined, leaves, trees } from './definitions.js';

const sizes = fc
  .record({ B: fc.integer({ min: 1, max: 2 }), H: fc.integer({ min: 1, max: 2 }), L: fc.integer({ min: 1, max: 150 }) })
  .chain((given) => fc.record({ S: fc.integer({ min: given.L, max: 200 }) }).map(({ S }) => ({ ...given, S })))
  .chain((given) => fc.integer({ min: 0, max: given.S - given.L }).map((offset) => ({ ...given, offset })));

function expectExact({ name, mask, allows }: Defined, given: MaskSizes): void {
  const { B, H, L, S, offset } = given;
  const map = compileMask(mask, given);
  let pairs = 0;
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let i = 0; i < L; i++)
        for (let j = 0; j < S; j++) {
          const wanted = allows(b, h, i + offset, j);
          pairs += Number(wanted);
          if (allowsPair(map, b, h, i, j) !== wanted)
            throw new Error(`${name}: expected ${wanted} for (${b}, ${h}, ${i}, ${j}) of ${JSON.stringify(given)}`);
        }
  expect(map.densityRatio).toBeCloseTo(pairs / (B * H * L * S), 10);
  expectKinds(map, given);
}

/** A pattern that a code names has both kinds of cells inside the call. */
function expectKinds({ shape, block, codes, patterns, counts }: BlockMap, { L, S }: MaskSizes): void {
  const [, , rows, columns] = shape;
  const [R, C] = block;
  const found = { empty: 0, partial: 0, full: 0 };
  codes.forEach((code, at) => {
    found[code === -1 ? 'empty' : code === -2 ? 'full' : 'partial']++;
    if (code < 0) return;
    const [row, column] = [Math.floor(at / columns) % rows, at % columns];
    const cells = patterns.subarray(code * R * C, (code + 1) * R * C);
    const ones = cells.reduce((sum, cell) => sum + cell, 0);
    expect(ones).toBeGreaterThan(0);
    expect(ones).toBeLessThan(Math.min(R, L - row * R) * Math.min(C, S - column * C));
  });
  expect(found).toEqual(counts);
}

describe('maps of blocks', () => {
  it('say the same as the definitions, mask by mask', () => {
    const seeds = fc.integer({ min: 0, max: 1e6 });
    fc.assert(
      fc.property(sizes, seeds, (given, seed) => {
        for (const leaf of leaves(given, seed)) expectExact(leaf, given);
      }),
      { numRuns: 12 },
    );
  });

  it('say the same as the definitions, composed at random', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 1e6 }), trees, (given, seed, tree) =>
        expectExact(composed(tree, leaves(given, seed)), given),
      ),
      { numRuns: 60 },
    );
  });
});
