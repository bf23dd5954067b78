import { describe, expect, test } from 'vitest';
import { StateError } from '../core/errors.js';
import { RandomStream } from '../core/random.js';
import { batchesFrom, bucketByLength, type Cursor, padSequences } from './batching.js';

const random = new RandomStream(11);
const lengths = Array.from({ length: 500 }, () => [1 + random.integer(20), 1 + random.integer(15)]);

function take(count: number, from?: Cursor, seed = 1): { indices: readonly number[]; next: Cursor }[] {
  const batches = batchesFrom(lengths, { tokens: 400, random: new RandomStream(seed), ...(from && { from }) });
  return Array.from({ length: count }, () => batches.next().value);
}

function paddedTokens(batch: readonly number[]): number {
  const longest = (axis: number): number => Math.max(...batch.map((example) => lengths[example]?.[axis] ?? 0));
  return batch.length * (longest(0) + longest(1));
}

describe('padSequences', () => {
  test('packs rows and pads at the end', () => {
    expect(padSequences([[7, 8, 9], [5], []], -1)).toEqual({
      ids: Int32Array.of(7, 8, 9, 5, -1, -1, -1, -1, -1),
      lengths: Int32Array.of(3, 1, 0),
      shape: [3, 3],
    });
  });

  test('nothing at all still has a width', () => {
    expect(padSequences([[]]).shape).toEqual([1, 1]);
    expect(padSequences([]).shape).toEqual([0, 1]);
  });
});

describe('bucketByLength', () => {
  test('every example once, no batch over the budget, little padding', () => {
    const batches = bucketByLength(lengths, { tokens: 400 });
    expect(batches.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
    for (const batch of batches) expect(paddedTokens(batch)).toBeLessThanOrEqual(400);
    const inGivenOrder = Array.from({ length: batches.length }, (_, row) =>
      [...lengths.keys()].filter((example) => example % batches.length === row),
    );
    const padded = (plan: readonly number[][]): number => plan.reduce((sum, batch) => sum + paddedTokens(batch), 0);
    const real = lengths.flat().reduce((sum, length) => sum + length, 0);
    expect(padded(batches) - real).toBeLessThan(0.7 * (padded(inGivenOrder) - real));
  });

  test('by number of examples', () => {
    expect(bucketByLength([[3], [1], [2], [5], [4]], { size: 2 })).toEqual([[1, 2], [0, 4], [3]]);
    expect(bucketByLength([[3], [3], [3]], { size: 9, tokens: 6 })).toEqual([[0, 1], [2]]);
    expect(bucketByLength([], { size: 2 })).toEqual([]);
  });

  test('an example beyond the budget is a batch alone', () => {
    expect(bucketByLength([[9], [1], [1]], { tokens: 4 })).toEqual([[1, 2], [0]]);
  });

  test.each([{}, { tokens: 0 }, { size: 1.5 }, { tokens: Number.NaN }])('limit %j is a StateError', (limit) => {
    expect(() => bucketByLength(lengths, limit)).toThrow(StateError);
  });
});

describe('batchesFrom', () => {
  const perEpoch = take(200).findIndex(({ next }) => next.epoch === 1) + 1;

  test('an epoch holds every example once, and the next mixes anew', () => {
    const [first, second] = [take(perEpoch), take(perEpoch, { epoch: 1, index: 0 })];
    for (const epoch of [first, second]) {
      expect(epoch.flatMap(({ indices }) => indices).sort((a, b) => a - b)).toEqual([...lengths.keys()]);
    }
    expect(second.map(({ indices }) => indices)).not.toEqual(first.map(({ indices }) => indices));
  });

  test('from any stored cursor the sequence is the same, over the end of an epoch too', () => {
    const all = take(3 * perEpoch);
    for (const [used, { next }] of all.entries()) {
      if (used % 7 !== 0 && next.index !== 0) continue;
      const rest = all.slice(used + 1, used + 6);
      expect(take(rest.length, JSON.parse(JSON.stringify(next)))).toEqual(rest);
    }
  });

  test('seeds differ; the stream is not drawn from', () => {
    expect(take(5, undefined, 2)).not.toEqual(take(5));
    const stream = new RandomStream(1);
    const before = stream.state();
    batchesFrom(lengths, { size: 4, random: stream }).next();
    expect(stream.state()).toEqual(before);
  });

  test('no examples, or a cursor from elsewhere, is a StateError', () => {
    expect(() => batchesFrom([], { size: 1, random }).next()).toThrow(StateError);
    for (const index of [perEpoch, -1, 0.5]) expect(() => take(1, { epoch: 0, index })).toThrow(StateError);
  });
});
