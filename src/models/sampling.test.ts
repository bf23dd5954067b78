import { describe, expect, it } from 'vitest';
import { RandomStream } from '../core/random.js';
import { candidates, chooseToken } from './sampling.js';

const logits = [0.5, 0.2, 0.2, 0.1].map(Math.log);
const tokensOf = (options: Parameters<typeof candidates>[1]): number[] =>
  candidates(logits, options).map(({ token }) => token);

describe('chooseToken', () => {
  it('draws as often as the probabilities say', () => {
    const random = new RandomStream(1);
    const counts = [0, 0, 0, 0];
    for (let draw = 0; draw < 20_000; draw++) {
      const { token } = chooseToken(logits, {}, random);
      counts[token] = (counts[token] ?? 0) + 1;
    }
    for (const [token, share] of [0.5, 0.2, 0.2, 0.1].entries()) {
      // four standard deviations of a share over 20,000 draws
      expect(Math.abs((counts[token] ?? 0) / 20_000 - share)).toBeLessThan(4 * Math.sqrt(0.25 / 20_000));
    }
  });

  it('takes the best at temperature 0, the first of equals', () => {
    expect(chooseToken([1, 3, 3], { temperature: 0 }, new RandomStream(1)).token).toBe(1);
  });

  it('says what the model thinks of the token, whatever was cut', () => {
    const { token, logProbability } = chooseToken(logits, { topK: 1, temperature: 0.1 }, new RandomStream(1));
    expect(token).toBe(0);
    expect(Math.exp(logProbability)).toBeCloseTo(0.5, 6);
  });

  it('cuts to the k best and to the nucleus', () => {
    expect(tokensOf({ topK: 2 })).toEqual([0, 1]);
    expect(tokensOf({ topP: 0.5 })).toEqual([0]);
    expect(tokensOf({ topP: 0.51 })).toEqual([0, 1]);
    expect(tokensOf({ topP: 1 })).toEqual([0, 1, 2, 3]);
    expect(tokensOf({ topK: 3, topP: 0.75 })).toEqual([0, 1]); // of the three, 0.5 / 0.9 and 0.2 / 0.9
  });

  it('sharpens and flattens', () => {
    const best = (temperature: number): number => candidates(logits, { temperature })[0]?.probability ?? 0;
    expect(best(1)).toBeCloseTo(0.5, 6);
    expect(best(0.5)).toBeCloseTo(0.25 / (0.25 + 0.04 + 0.04 + 0.01), 6);
    expect(best(100)).toBeLessThan(0.26);
  });

  it.each([[{ temperature: -1 }], [{ topK: 1.5 }], [{ topP: 0 }], [{ topP: 2 }], [{ temperature: Number.NaN }]])(
    'refuses %j',
    (options) => {
      expect(() => chooseToken(logits, options, new RandomStream(1))).toThrow(/sampling: expected/);
    },
  );
});
