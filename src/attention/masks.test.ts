import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { ShapeError, StateError } from '../core/errors.js';
import { setBackend, tensor, zeros } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { slice } from '../tensor/views.js';
import { attention } from './attention.js';
import { allowsPair, compileMask, maskPicture } from './blockMap.js';
import { blockMapOf } from './blockOperands.js';
import { bigBird, blockSparse } from './blockSparse.js';
import { KeyValueCache } from './cache.js';
import { and, booleanMask, causal, keyPadding, slidingWindow } from './mask.js';
import { not, or } from './maskAlgebra.js';
import { dilated, documents, globalTokens, maskMod, prefixLm, strided } from './patternMasks.js';

beforeAll(() => setBackend(createReferenceBackend()));

const sizes = { B: 2, H: 2, L: 100, S: 100, offset: 0 };

describe('composition', () => {
  it('keeps windows and lengths as numbers where it can', () => {
    const window = or(slidingWindow({ left: 5, right: 0 }), slidingWindow({ left: 1, right: 3 }));
    expect(window).toEqual({ left: 5, right: 3 });
    const both = and(causal(), globalTokens([0]), keyPadding([3, 4]));
    expect([both.right, both.lengths]).toEqual([0, [3, 4]]);
    expect(or().predicate?.bind(sizes).allows(0, 0, 0, 0)).toBe(false);
  });

  it('makes a map once for a mask and its sizes, whatever it does not depend on', () => {
    const mask = not(causal());
    const map = blockMapOf(mask, sizes);
    expect(blockMapOf(mask, { ...sizes, B: 7, H: 3 })).toBe(map);
    expect(blockMapOf(mask, { ...sizes, L: 99 })).not.toBe(map);
    expect(blockMapOf(not(causal()), sizes)).not.toBe(map);
    expect(blockMapOf(causal(), sizes)).toBeUndefined();
  });

  it('asks nothing about blocks outside the window, and shares equal patterns', () => {
    let asked = 0;
    const others = (_b: number, _h: number, q: number, k: number): boolean => {
      asked++;
      return q !== k;
    };
    const mask = and(slidingWindow({ left: 63, right: 0 }), maskMod(others, { perBatch: false, perHead: false }));
    const map = blockMapOf(mask, { ...sizes, L: 6400, S: 6400 });
    expect(map?.counts).toEqual({ empty: 100 * 100 - 199, partial: 100, full: 99 });
    expect(map?.patterns.length).toBe(64 * 64);
    expect(asked).toBeLessThan(200 * 64 * 64 * 1.02); // one in 97 is asked twice
  });

  it('shows its blocks', () => {
    const map = compileMask(causal(), { L: 130 });
    expect(maskPicture(map, { name: 'causal' })).toEqual({
      name: 'causal',
      block: [64, 64],
      kinds: [
        ['partial', 'empty', 'empty'],
        ['full', 'partial', 'empty'],
        ['full', 'full', 'partial'],
      ],
    });
    expect(map.densityRatio).toBeCloseTo((130 * 131) / 2 / 130 ** 2, 12);
  });
});

describe('BigBird', () => {
  const given = { H: 3, L: 20 * 16 };
  const map = compileMask(bigBird({ block: 16, window: 3, global: 1, random: 2, seed: 4 }), given);
  const blocksOf = (h: number, row: number): number[] =>
    Array.from({ length: 20 }, (_, column) => column).filter((column) => allowsPair(map, 0, h, row * 16, column * 16));

  it('holds window, global and so many random blocks in each row', () => {
    for (let h = 0; h < 3; h++) {
      expect(blocksOf(h, 0)).toHaveLength(20);
      for (let row = 3; row < 19; row++) {
        expect(blocksOf(h, row)).toEqual(expect.arrayContaining([0, row - 1, row, row + 1]));
        expect(blocksOf(h, row)).toHaveLength(6);
      }
    }
  });

  it('draws for every head, the same for the same seed', () => {
    const again = compileMask(bigBird({ block: 16, window: 3, global: 1, random: 2, seed: 4 }), given);
    expect(again.codes).toEqual(map.codes);
    const rows = (h: number): number[][] => Array.from({ length: 16 }, (_, row) => blocksOf(h, row + 3));
    expect(rows(0)).not.toEqual(rows(1));
  });
});

describe('a contradictory mask', () => {
  it('gives zeros and says so in the record', () => {
    const x = tensor(new Float32Array(2 * 70 * 3).fill(1), [1, 2, 70, 3]);
    const { out, lse, record } = attention(x, x, x, { mask: and(causal(), not(causal())), record: {} });
    expect(new Set(out.toArray())).toEqual(new Set([0]));
    expect(new Set(lse.toArray())).toEqual(new Set([-Infinity]));
    expect(record.read().warnings).toEqual([expect.stringMatching(/140 of 140 query rows may attend to no key/)]);
    expect(attention(x, x, x, { mask: causal(), record: {} }).record.read().warnings).toBeUndefined();
  });
});

describe('decoding with a cache', () => {
  it('equals the whole sequence, a few queries at a time', () => {
    const L = 150;
    const x = tensor(
      Float32Array.from({ length: 2 * L * 4 }, (_, n) => Math.sin(n * 1.7)),
      [1, 2, L, 4],
    );
    for (const mask of [
      strided({ stride: 7 }),
      or(slidingWindow({ left: 9, right: 0 }), and(causal(), globalTokens([0, 3]))),
    ]) {
      const whole = attention(x, x, x, { mask }).out;
      const cache = new KeyValueCache();
      for (let at = 0; at < L; at += 50) {
        const part = slice(x, 2, at, at + 50);
        const { out } = attention(part, part, part, { mask, cache });
        expect(out.toArray()).toEqual(slice(whole, 2, at, at + 50).toArray());
      }
    }
  });
});

describe('wrong use', () => {
  const x = (): Tensor => zeros([2, 2, 4, 3]);

  it.each([
    [() => slidingWindow({ left: -1 }), 'slidingWindow: expected left a whole number >= 0, got -1'],
    [() => dilated({ step: 0 }), 'dilated: expected step a whole number >= 1, got 0'],
    [() => dilated({ step: 2, right: -3 }), 'dilated: expected right a whole number >= 0, got -3'],
    [() => strided({ stride: 1.5 }), 'strided: expected stride a whole number >= 1, got 1.5'],
    [() => prefixLm([-2]), 'prefixLm: expected prefix[0] a whole number >= 0, got -2'],
    [() => globalTokens([-1]), 'globalTokens: expected positions[0] a whole number >= 0, got -1'],
    [() => documents([2, -1]), 'documents: expected length 1 a whole number >= 0, got -1'],
    [() => bigBird({ window: 2 }), 'bigBird: expected an odd window, got 2'],
    [() => blockSparse([[1]], { block: 0 }), 'blockSparse: expected block a whole number >= 1, got 0'],
  ])('refuses values outside their range', (make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(ShapeError);
  });

  it.each([
    [() => blockSparse([[1, 1]], { block: 2 }), 'expected a map [rows, columns] = [2, 2], got [1, 2]'],
    [() => blockSparse([[[1]], [[1]], [[1]]], { block: 4 }), 'expected a map for each of H = 2 heads, got 3'],
    [() => documents([1, 2]), 'documents: expected lengths that add up to S = 4, got 3'],
    [() => documents([[4]]), 'documents: expected one list of lengths a sequence, B = 2, got 1'],
    [() => prefixLm([1]), 'prefixLm: expected lengths [B] = [2], got [1]; they are of another batch'],
    [() => not(keyPadding([1, 2, 3])), 'keyPadding: expected lengths [B] = [2], got [3]'],
    [() => not(booleanMask(zeros([3, 4], { dtype: 'u8' }))), 'booleanMask: expected a tensor broadcastable'],
  ])('refuses a mask that was made for other sizes', (make, message) => {
    expect(() => attention(x(), x(), x(), { mask: make() })).toThrow(message);
    expect(() => attention(x(), x(), x(), { mask: make() })).toThrow(ShapeError);
  });

  it('refuses functions that answer with something else, or differently each time', () => {
    const count = maskMod((_b, _h, q) => q as unknown as boolean);
    expect(() => attention(x(), x(), x(), { mask: count })).toThrow(
      'maskMod: expected true or false for (b, h, q, k) = (0, 0, 0, 0), got 0',
    );
    let turn = false;
    const fickle = maskMod(() => {
      turn = !turn;
      return turn;
    });
    expect(() => attention(x(), x(), x(), { mask: fickle })).toThrow(StateError);
    expect(() => attention(x(), x(), x(), { mask: fickle })).toThrow('expected the same answer each time');
  });
});
