import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { backward, concat, full, normal, setBackend, slice, square, sum, type Tensor } from '../tensor/index.js';
import { type LinearAttentionOptions, linearAttention } from './linearAttention.js';

const random = new RandomStream(5);
const make = (length = 5) => normal([2, 2, length, 3], { random });

beforeAll(() => setBackend(createReferenceBackend({ precision: 'f64' })));

/** x with its last position holding something else. */
function ending(x: Tensor, value: number): Tensor {
  return concat([slice(x, 2, 0, 4), full([2, 2, 1, 3], value)], 2);
}

describe('linearAttention', () => {
  it('never lets padding in, even when it holds NaN, nor gives NaN where there is no key', () => {
    const [q, k, v] = [make(), make(), make()];
    for (const causal of [false, true])
      for (const features of ['elu', 'relu'] as const) {
        const run = (value: number): number[] => {
          const leaves = [q, ending(k, value), ending(v, value)] as const;
          for (const leaf of leaves) leaf.requiresGrad = true;
          const { out } = linearAttention(...leaves, { causal, features, lengths: [4, 0] });
          backward(sum(square(out)));
          const gradients = leaves.map((leaf) => Array.from(leaf.grad?.toArray() ?? []));
          q.grad = undefined;
          return [...Array.from(out.toArray()), ...gradients.flat()];
        };
        expect(run(NaN)).toEqual(run(7));
        expect(run(NaN).every(Number.isFinite)).toBe(true);
        expect(
          run(NaN)
            .slice(30, 60)
            .every((value) => value === 0),
        ).toBe(true);
      }
  });

  it('does not depend on the chunk, nor does a state on how it came about', () => {
    const [q, k, v] = [make(), make(), make()];
    const whole = linearAttention(q, k, v, { causal: true });
    for (const chunk of [1, 2, 3, 5]) {
      const { out, state } = linearAttention(q, k, v, { causal: true, chunk });
      Array.from(out.toArray()).forEach((value, at) => {
        expect(value).toBeCloseTo(whole.out.toArray()[at] as number, 12);
      });
      expect(sum(state).item()).toBeCloseTo(sum(whole.state).item(), 12);
    }
    const cross = linearAttention(make(2), k, v);
    expect(sum(cross.state).item()).toBeCloseTo(sum(whole.state).item(), 12);
  });

  it('refuses what does not fit and names it', () => {
    const [q, k, v] = [make(), make(), make()];
    const call =
      (options: LinearAttentionOptions, query = q) =>
      () =>
        linearAttention(query, k, v, options);
    expect(call({ causal: true }, make(4))).toThrow(/L = S = 5 for the causal form, got 4/);
    expect(call({ chunk: 0 })).toThrow(/chunk of at least 1, got 0/);
    expect(call({ lengths: [1] })).toThrow(/lengths \[B\] = \[2\], got \[1\]/);
    expect(call({ state: full([2, 2, 3, 9], 0) })).toThrow(/state \[B, G, D', Dv \+ 1\] = \[2, 2, 3, 4\], got/);
    expect(call({ features: 'identity', record: {} })).toThrow(/normalise and no state beside a record/);
    expect(call({ scale: 2 } as LinearAttentionOptions)).toThrow(/expected one of features, .*got scale/);
    expect(() => linearAttention(q, make(), normal([2, 2, 4, 3], { random }))).toThrow(/S differs/);
  });
});
