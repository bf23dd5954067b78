import { describe, expect, it } from 'vitest';
import { RandomStream } from '../core/random.js';
import { jaccard, nearDuplicates } from './nearDuplicates.js';

const random = new RandomStream(3);
const text = (words: number): string[] => Array.from({ length: words }, () => `w${random.integer(500)}`);

describe('nearDuplicates', () => {
  it('groups copies with changed words, and nothing else', () => {
    const originals = Array.from({ length: 200 }, () => text(60));
    const copies = originals.map((words) => words.map((word, at) => (at === 20 || at === 41 ? 'other' : word)));
    const groups = nearDuplicates([...originals, ...copies]);
    expect(groups).toEqual([...originals.keys(), ...originals.keys()]);
  });

  it('links a chain, and texts shorter than a run only to their equals', () => {
    const chain = [0, 8, 16, 24].map((shift) => Array.from({ length: 60 }, (_, at) => `c${at + shift}`));
    expect(nearDuplicates(chain)).toEqual([0, 0, 0, 0]);
    expect(nearDuplicates([['a'], ['b'], ['a'], [], []])).toEqual([0, 1, 0, 3, 3]);
  });

  it('links what has the same key, whatever it says', () => {
    const texts = [['a'], ['b'], ['c'], ['b']];
    expect(nearDuplicates(texts, { keys: ['x', 'y', 'x', 'z'] })).toEqual([0, 1, 0, 1]);
    expect(() => nearDuplicates([['a']], { keys: ['x', 'y'] })).toThrow(/at most one key a text = 1, got 2/);
  });

  it('finds every pair above 0.7 that a comparison of all pairs finds', () => {
    const base = Array.from({ length: 40 }, () => text(50));
    const changed = base.flatMap((words) =>
      [1, 3, 6].map((changes) => words.map((word, at) => (at < changes ? `x${at}` : word))),
    );
    const all = [...base, ...changed];
    const sets = all.map((words) => new Set(words.slice(3).map((_, at) => hashable(words.slice(at, at + 4)))));
    const groups = nearDuplicates(all);
    let pairs = 0;
    for (const [a, first] of sets.entries()) {
      for (const [b, second] of sets.entries()) {
        if (a >= b || jaccard(first, second) < 0.7) continue;
        pairs++;
        expect(groups[a]).toBe(groups[b]);
      }
    }
    expect(pairs).toBeGreaterThan(100);
  });

  it('refuses a similarity out of range', () => {
    expect(() => nearDuplicates([], { similarity: 0 })).toThrow(/\(0, 1\], got 0/);
  });
});

/** Runs of words as numbers of their own, not by the hash that is tested. */
const numbers = new Map<string, number>();
function hashable(words: readonly string[]): number {
  const key = words.join(' ');
  const number = numbers.get(key) ?? numbers.size;
  numbers.set(key, number);
  return number;
}
