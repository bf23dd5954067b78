/** Attention with score formulas against an explicit float64 formulation, on the reference backend. */

import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../backend/reference/index.js';
import { RandomStream } from '../../core/random.js';
import { sizeOf } from '../../core/shape.js';
import { setBackend, tensor } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';
import { slice } from '../../tensor/views.js';
import { attention } from '../attention.js';
import { KeyValueCache } from '../cache.js';
import { booleanMask, causal, type Mask } from '../mask.js';
import type { AttentionOptions } from '../options.js';
import { peek } from '../peek.js';
import { attentionReceived } from '../transposed.js';
import { type ScoreFormula, scoreMod } from './scoreMod.js';

beforeAll(() => setBackend(createReferenceBackend({ precision: 'f64' })));

const [B, H, L, S, D] = [2, 4, 6, 9, 5] as const;
const offset = S - L;
const random = new RandomStream(5);
const noise = (shape: readonly number[]): Tensor =>
  tensor(
    Float64Array.from({ length: sizeOf(shape) }, () => random.normal()),
    shape,
  );

/** What becomes of a score, in plain JavaScript. */
type Plain = (score: number, b: number, h: number, q: number, k: number) => number;

/** Softmax over all keys of modified scores, then the mean of values; positions as in the call. */
function explicitly(q: Tensor, k: Tensor, v: Tensor, plain: Plain): { out: number[]; weights: number[] } {
  const [x, y, z] = [q.toArray(), k.toArray(), v.toArray()] as [Float64Array, Float64Array, Float64Array];
  const [out, weights]: [number[], number[]] = [[], []];
  for (let row = 0; row < B * H * L; row++) {
    const [b, h, i] = [Math.floor(row / (H * L)), Math.floor(row / L) % H, row % L];
    const scores = Array.from({ length: S }, (_, j) => {
      let product = 0;
      for (let d = 0; d < D; d++) product += (x[row * D + d] as number) * (y[((b * H + h) * S + j) * D + d] as number);
      return plain(product / Math.sqrt(D), b, h, i + offset, j);
    });
    const largest = Math.max(...scores);
    const powers = scores.map((score) => (score === -Infinity ? 0 : Math.exp(score - largest)));
    const total = powers.reduce((a, c) => a + c, 0) || 1;
    weights.push(...powers.map((power) => power / total));
    for (let d = 0; d < D; d++)
      out.push(
        powers.reduce((sum, power, j) => sum + (power / total) * (z[((b * H + h) * S + j) * D + d] as number), 0),
      );
  }
  return { out, weights };
}

interface Mechanism {
  readonly name: string;
  readonly formula: ScoreFormula;
  readonly plain: Plain;
}

function mechanisms(): Mechanism[] {
  const slopes = tensor([0.5, 0.25, 0.125, 0.0625], [H]);
  const [bias, rates] = [noise([H, 7]), noise([H])];
  const document = tensor([0, 0, 0, 1, 1, 1, 1, 2, 2, 0, 1, 1, 1, 1, 2, 2, 2, 2], [B, S], { dtype: 'i32' });
  const [biases, rate, documents] = [bias.toArray(), rates.toArray(), document.toArray()].map((x) => Array.from(x)) as [
    number[],
    number[],
    number[],
  ];
  const at = (values: readonly number[], index: number): number => values[index] as number;
  return [
    {
      name: 'ALiBi (Press et al. 2022, §3)',
      formula: (score, { h, q, k, lookup }) => score.add(lookup(slopes, h).multiply(k.subtract(q))),
      plain: (score, _, h, q, k) => score + 2 ** -(h + 1) * (k - q),
    },
    {
      name: 'softcap (Gemma 2, 2024, §2)',
      formula: (score) => score.divide(2).tanh().multiply(2),
      plain: (score) => 2 * Math.tanh(score / 2),
    },
    {
      name: 'clipped relative bias (after Shaw et al. 2018, §3.2)',
      formula: (score, { h, q, k, lookup }) => score.add(lookup(bias, h, k.subtract(q).clamp(-3, 3).add(3))),
      plain: (score, _, h, q, k) => score + at(biases, h * 7 + Math.min(3, Math.max(-3, k - q)) + 3),
    },
    {
      name: 'documents in one row',
      formula: (score, { b, q, k, lookup, where }) =>
        where(lookup(document, b, q).equal(lookup(document, b, k)), score, -Infinity),
      plain: (score, b, _, q, k) => (at(documents, b * S + q) === at(documents, b * S + k) ? score : -Infinity),
    },
    {
      name: 'decay with the distance',
      formula: (score, { h, q, k, lookup }) =>
        score.subtract(lookup(rates, h).exp().multiply(q.subtract(k).absolute().add(1).log())),
      plain: (score, _, h, q, k) => score - Math.exp(at(rate, h)) * Math.fround(Math.log(Math.abs(q - k) + 1)),
    },
    {
      name: 'dilated causal window',
      formula: (score, { q, k, where }) => {
        const distance = q.subtract(k);
        return where(distance.greaterEqual(0).and(distance.modulo(2).equal(0)), score, -Infinity);
      },
      plain: (score, _b, _h, q, k) => (q >= k && (q - k) % 2 === 0 ? score : -Infinity),
    },
  ];
}

const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((worst, x, at) => Math.max(worst, Math.abs(x - (b[at] as number))), 0);
};

describe('mechanisms', () => {
  const count = 6;
  const inputs = () => [noise([B, H, L, D]), noise([B, H, S, D]), noise([B, H, S, D])] as const;

  it.each(Array.from({ length: count }, (_, at) => at))('%i', (at) => {
    const { name, formula, plain } = mechanisms()[at] as Mechanism;
    const [q, k, v] = inputs();
    const program = scoreMod(formula);
    const wanted = explicitly(q, k, v, plain);
    const options = { scoreMod: program, offset };
    const { out, lse, record } = attention(q, k, v, { ...options, record: { topK: S, received: true } });
    expect(gap(out.toArray(), wanted.out), name).toBeLessThan(1e-12);
    expect(gap(peek({ q, k, lse, ...options }).toArray(), wanted.weights), name).toBeLessThan(1e-12);
    const head = peek({ q, k, lse, ...options }, { head: 2, rows: { start: 2, end: 5 }, columns: [4, 8] });
    const cells = [0, 1].flatMap((b) =>
      [2, 3, 4].flatMap((i) => [4, 8].map((j) => wanted.weights[((b * H + 2) * L + i) * S + j] as number)),
    );
    expect(gap(head.toArray(), cells), name).toBeLessThan(1e-12);
    const received = wanted.weights.reduce<number[]>((sums, weight, index) => {
      const cell = Math.floor(index / (L * S)) * S + (index % S);
      sums[cell] = (sums[cell] ?? 0) + weight;
      return sums;
    }, []);
    expect(gap(attentionReceived({ q, k, lse, ...options }).toArray(), received), name).toBeLessThan(1e-12);
    const plainRecord = record.read();
    const squares = wanted.weights.reduce((sum, weight) => sum + weight * weight, 0);
    const recorded = Array.from(plainRecord.statistics.squareSum).reduce((a, c) => a + c, 0);
    expect(Math.abs(squares - recorded), name).toBeLessThan(1e-5);
  });

  it('have a test each', () => expect(mechanisms()).toHaveLength(count));
});

describe('a result of -Infinity is a mask', () => {
  const masked = scoreMod((score, { q, k, where }) => where(k.lessEqual(q), score, -Infinity));
  const same = (options: AttentionOptions, mask: Mask): void => {
    const [q, k, v] = [noise([1, 2, L, D]), noise([1, 2, L, D]), noise([1, 2, L, D])];
    const [a, b] = [attention(q, k, v, { ...options, record: {} }), attention(q, k, v, { mask, record: {} })];
    expect(Array.from(a.out.toArray())).toEqual(Array.from(b.out.toArray()));
    expect(a.record.read().statistics).toEqual(b.record.read().statistics);
  };

  it('as causal()', () => same({ scoreMod: masked }, causal()));

  it('whose keys and values may hold NaN, and whose rows may be empty', () => {
    const [q, k, v] = [noise([1, 1, 3, D]), noise([1, 1, 3, D]), noise([1, 1, 3, D])];
    const spoilt = (x: Tensor): Tensor =>
      tensor(
        Float64Array.from(x.toArray(), (value, at) => (at >= 2 * D ? Number.NaN : value)),
        x.shape,
      );
    const program = scoreMod((score, { q, k, where }) => where(k.less(2).and(q.greater(0)), score, -Infinity));
    const { out, lse } = attention(q, spoilt(k), spoilt(v), { scoreMod: program });
    const allowed = tensor([0, 0, 0, 1, 1, 0, 1, 1, 0], [3, 3], { dtype: 'u8' });
    expect(Array.from(out.toArray())).toEqual(
      Array.from(attention(q, k, v, { mask: booleanMask(allowed) }).out.toArray()),
    );
    expect(lse.toArray()[0]).toBe(-Infinity);
  });
});

it('with a cache, q counts from the first cached position', () => {
  const [q, k, v] = [noise([1, 1, L, D]), noise([1, 1, L, D]), noise([1, 1, L, D])];
  const table = noise([L, L]);
  const program = scoreMod((score, { q, k, lookup, where }) =>
    where(k.lessEqual(q), score.add(lookup(table, q, k)), -Infinity),
  );
  const whole = attention(q, k, v, { scoreMod: program }).out;
  using cache = new KeyValueCache();
  for (let i = 0; i < L; i += 2) {
    const [a, b, c] = [q, k, v].map((x) => slice(x, 2, i, i + 2)) as [Tensor, Tensor, Tensor];
    const { out } = attention(a, b, c, { scoreMod: program, cache });
    expect(gap(out.toArray(), slice(whole, 2, i, i + 2).toArray())).toBeLessThan(1e-12);
  }
});
