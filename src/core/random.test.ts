import { describe, expect, test } from 'vitest';
import { StateError } from './errors.js';
import { RandomStream } from './random.js';

const draw = (stream: RandomStream, count: number): number[] => Array.from({ length: count }, () => stream.uint32());

describe('reproducibility', () => {
  test('one seed, one sequence; another seed, another', () => {
    expect(draw(new RandomStream(1), 50)).toEqual(draw(new RandomStream(1), 50));
    expect(draw(new RandomStream(1), 50)).not.toEqual(draw(new RandomStream(2), 50));
  });

  test('a restored stream continues with the same numbers, through JSON', () => {
    const stream = new RandomStream(42);
    draw(stream, 17);
    stream.normal();
    const copy = RandomStream.restore(JSON.parse(JSON.stringify(stream.state())));
    expect(draw(copy, 20)).toEqual(draw(stream, 20));
    expect(copy.fork('x').uint32()).toBe(stream.fork('x').uint32());
  });

  test('a fork depends on seed and label alone', () => {
    const stream = new RandomStream(5);
    const before = draw(stream.fork('dropout'), 5);
    draw(stream, 100);
    expect(draw(stream.fork('dropout'), 5)).toEqual(before);
    expect(draw(stream.fork('data'), 5)).not.toEqual(before);
    expect(draw(new RandomStream(5), 5)).not.toEqual(before);
  });

  test('forking does not disturb the parent', () => {
    const [one, two] = [new RandomStream(9), new RandomStream(9)];
    one.fork('anything').uint32();
    expect(draw(one, 5)).toEqual(draw(two, 5));
  });
});

describe('distribution', () => {
  const count = 40_000;

  test('uniform: in [0, 1), flat over 20 bins', () => {
    const stream = new RandomStream(3);
    const bins = new Array<number>(20).fill(0);
    for (let index = 0; index < count; index++) {
      const bin = Math.floor(stream.uniform() * 20);
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    expect(bins).toHaveLength(20);
    const chiSquare = bins.reduce((sum, seen) => sum + (seen - count / 20) ** 2 / (count / 20), 0);
    expect(chiSquare).toBeLessThan(43.8); // 19 degrees of freedom, p = 0.001
  });

  test('normal: mean, variance and kurtosis within five standard errors', () => {
    const stream = new RandomStream(4);
    const values = Array.from({ length: count }, () => stream.normal());
    const moment = (power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / count;
    expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / count));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
  });

  test('integer: every value below the limit, nothing else', () => {
    const stream = new RandomStream(6);
    const seen = new Set(Array.from({ length: 500 }, () => stream.integer(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('shuffle: in place, a permutation, all 6 orders of 3 equally often', () => {
    const stream = new RandomStream(8);
    const orders = new Map<string, number>();
    for (let index = 0; index < 6000; index++) {
      const items = ['a', 'b', 'c'];
      expect(stream.shuffle(items)).toBe(items);
      orders.set(items.join(''), (orders.get(items.join('')) ?? 0) + 1);
    }
    expect([...orders.keys()].sort()).toEqual(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
    for (const seen of orders.values()) expect(Math.abs(seen - 1000)).toBeLessThan(150);
  });
});

test('bad seeds and states are StateErrors', () => {
  for (const seed of [0.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => new RandomStream(seed)).toThrow(StateError);
  for (const state of [[], [1, 2, 3], [1, 2, 3, 4, 0.5], [1, 0, 0, 0, 0]]) {
    expect(() => RandomStream.restore(state)).toThrow(StateError);
  }
});
