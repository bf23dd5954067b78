/**
 * Every mechanism of docs/positions.md against its paper's formula on random shapes and compositions, and what it shares
 * with the rest: the explicit path, peek, the cache, records, errors.
 */

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type AttentionOptions,
  alibi,
  alibiSlopes,
  applyAttentionWeights,
  attention,
  causal,
  computeAttentionWeights,
  KeyValueCache,
  peek,
  relativeBias,
  rope,
  rotate,
  shaw,
  sigmoidWeights,
  swinBias,
  t5Bias,
  t5Bucket,
} from '../../src/attention/index.js';
import type { Backend } from '../../src/backend/contract.js';
import { createReferenceBackend } from '../../src/backend/reference/index.js';
import { RandomStream } from '../../src/core/random.js';
import {
  AttentionSinks,
  capture,
  inference,
  LearnedPositions,
  LearnedTemperature,
  MultiHeadAttention,
  QueryKeyNorm,
  rotaryPositions,
  ShawRelativePositions,
  SinusoidalPositions,
  SwinRelativeBias,
  T5RelativeBias,
} from '../../src/nn/index.js';
import { backward, multiply, normal, setBackend, slice, sum, type Tensor, tensor } from '../../src/tensor/index.js';
import { forEachSubject } from '../conformance/suite.js';
import { dot, type Heads, pairwiseAttention } from './pairwise.js';

const random = new RandomStream(71);
const exact = createReferenceBackend({ precision: 'f64' });
const noise = (shape: readonly number[], backend: Backend = exact): Tensor => normal(shape, { random, backend });

beforeAll(() => setBackend(exact));

function nested(x: Tensor): Heads {
  const [B, H, L, D] = x.shape as [number, number, number, number];
  const values = x.toArray();
  const from = (n: number): number[] => Array.from({ length: D }, (_, d) => values[n * D + d] as number);
  return Array.from({ length: B }, (_, b) =>
    Array.from({ length: H }, (__, h) => Array.from({ length: L }, (___, i) => from((b * H + h) * L + i))),
  );
}

function rows(x: Tensor): readonly (readonly number[])[] {
  const [count, width] = x.shape as [number, number];
  const values = Array.from(x.toArray());
  return Array.from({ length: count }, (_, n) => values.slice(n * width, (n + 1) * width));
}

function expectClose(got: Tensor, wanted: ArrayLike<number>, allowed: number): void {
  const values = got.toArray();
  expect(values.length).toBe(wanted.length);
  const worst = Array.from(values).reduce((most, x, at) => Math.max(most, Math.abs(x - (wanted[at] as number))), 0);
  expect(worst).toBeLessThanOrEqual(allowed);
}

const clip = (x: number, reach: number): number => Math.max(-reach, Math.min(reach, x)) + reach;

const kinds = ['alibi', 't5', 't5 decoder', 'shaw', 'shaw keys', 'relative'] as const;
const shapes = fc.record({
  kind: fc.constantFrom(...kinds),
  B: fc.integer({ min: 1, max: 2 }),
  G: fc.integer({ min: 1, max: 2 }),
  share: fc.integer({ min: 1, max: 3 }),
  L: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(1)),
  S: fc.integer({ min: 1, max: 300 }),
  D: fc.integer({ min: 1, max: 20 }),
  Dv: fc.integer({ min: 1, max: 20 }),
  reach: fc.integer({ min: 0, max: 20 }),
  offset: fc.integer({ min: 0, max: 30 }),
  isCausal: fc.boolean(),
  withSinks: fc.boolean(),
});
type Shape = typeof shapes extends fc.Arbitrary<infer Value> ? Value : never;

interface Mechanism {
  readonly bias: NonNullable<AttentionOptions['bias']>;
  readonly score: (h: number, i: number, j: number, q: readonly number[]) => number;
  readonly value?: (h: number, i: number, j: number) => readonly number[];
}

/** The option, and the paper's term of one pair. */
function mechanism(backend: Backend, { kind, G, share, D, Dv, reach, offset }: Shape): Mechanism {
  const H = G * share;
  const at = (i: number, j: number): number => j - i - offset;
  if (kind === 'alibi') {
    const slopes = alibiSlopes(H);
    return { bias: alibi(slopes), score: (h, i, j) => -(slopes[h] as number) * Math.abs(at(i, j)) };
  }
  if (kind === 't5' || kind === 't5 decoder') {
    const options = { maxDistance: 9 + reach, bidirectional: kind === 't5' };
    const weight = noise([8, H], backend);
    const table = rows(weight);
    const score = (h: number, i: number, j: number): number =>
      table[t5Bucket(at(i, j), { buckets: 8, ...options })]?.[h] as number;
    return { bias: t5Bias(weight, options), score };
  }
  const columns = 2 * reach + 1;
  if (kind === 'relative') {
    const table = noise([H, 1, columns], backend);
    const values = table.toArray();
    return {
      bias: relativeBias(table),
      score: (h, i, j) => values[h * columns + clip(at(i, j), reach)] as number,
    };
  }
  const [keys, values] = [noise([columns, D], backend), noise([columns, Dv], backend)];
  const [a, z] = [rows(keys), rows(values)];
  const score: Mechanism['score'] = (_, i, j, q) => dot(q, a[clip(at(i, j), reach)] as number[]) / Math.sqrt(D);
  if (kind === 'shaw keys') return { bias: shaw({ keys }), score };
  return { bias: shaw({ keys, values }), score, value: (_, i, j) => z[clip(at(i, j), reach)] as number[] };
}

function expectPapersFormula(backend: Backend, shape: Shape): void {
  const { B, G, share, L, S, D, Dv, offset, isCausal, withSinks } = shape;
  const H = G * share;
  const [q, k, v] = [noise([B, H, L, D], backend), noise([B, G, S, D], backend), noise([B, G, S, Dv], backend)];
  const { bias, score, value } = mechanism(backend, shape);
  const sinks = withSinks ? noise([H], backend) : undefined;
  const { out } = attention(q, k, v, { bias, sinks, offset, mask: isCausal ? causal() : undefined });
  const truth = pairwiseAttention(nested(q), nested(k), nested(v), {
    scale: 1 / Math.sqrt(D),
    score,
    ...(value && { value }),
    allowed: (i, j) => !isCausal || j <= i + offset,
    sinks: sinks && Array.from(sinks.toArray()),
  });
  expectClose(out, truth.flat(3), 4e-6); // N1 doubled: Shaw's scores and values have twice the variance
}

forEachSubject((backend) => {
  it('every mechanism is what its paper says, on random shapes', { timeout: 240_000 }, () => {
    fc.assert(
      fc.property(shapes, (shape) => expectPapersFormula(backend, shape)),
      { numRuns: 40 },
    );
  });
});

describe('positions in the attention call', () => {
  const [B, H, G, L, S, D] = [2, 4, 2, 6, 9, 5] as const;
  const make = () => [noise([B, H, L, D]), noise([B, G, S, D]), noise([B, G, S, D])] as const;

  it('fused and explicit path agree, gradients included', () => {
    const parameters: Readonly<Record<string, readonly [Tensor, (x: Tensor) => AttentionOptions]>> = {
      alibi: [tensor(alibiSlopes(H) as number[], [H]), (x) => ({ bias: alibi(x) })],
      t5: [noise([8, H]), (x) => ({ bias: t5Bias(x, { maxDistance: 5 }), mask: causal(), offset: 3 })],
      shaw: [noise([7, D]), (x) => ({ bias: shaw({ keys: x }), scale: 0.4 })],
      relative: [noise([B, H, L, 5]), (x) => ({ bias: relativeBias(x) })],
      swin: [noise([15, H]), (x) => ({ bias: swinBias(x, [2, 3]) })],
      sinks: [noise([H]), (x) => ({ sinks: x, mask: causal() })],
    };
    for (const [name, [parameter, options]] of Object.entries(parameters)) {
      const [q, k, v] = name === 'swin' ? [noise([B, H, L, D]), noise([B, G, L, D]), noise([B, G, L, D])] : make();
      const inputs = [q, k, v, parameter];
      const weight = noise([B, H, L, D]);
      const both = [0, 1].map((path) => {
        for (const input of inputs) [input.requiresGrad, input.grad] = [true, undefined];
        const given = options(parameter);
        const out =
          path === 0 ? attention(q, k, v, given).out : applyAttentionWeights(computeAttentionWeights(q, k, given), v);
        backward(sum(multiply(out, weight)));
        return [out, ...inputs.map(({ grad }) => grad as Tensor)];
      });
      for (const [at, got] of (both[0] ?? []).entries())
        expectClose(got, (both[1] as Tensor[])[at]?.toArray() ?? [], 1e-9);
    }
  });

  it('peek shows the weights that a bias by distance and sinks leave', () => {
    const [q, k, v] = make();
    const options = { bias: shaw({ keys: noise([5, D]) }), sinks: noise([H]), mask: causal(), offset: 2 };
    const { lse, record } = attention(q, k, v, { ...options, record: { rows: 'all' } });
    const explicit = computeAttentionWeights(q, k, options).toArray();
    expectClose(peek({ q, k, lse, ...options }), explicit, 1e-9);
    expect(record.read().weights?.values.length).toBe(explicit.length);
    const part = peek({ q, k, lse, ...options }, { rows: [3], columns: { start: 2, end: 5 }, head: 1 });
    const wanted = [2, 3, 4].map((j) => explicit[(H + 1 - H) * L * S + 3 * S + j] as number);
    expectClose(slice(part, 0, 0, 1), wanted, 1e-9);
  });

  it('statistics are those of the final weights: masses and the sink make one', () => {
    const [q, k, v] = make();
    const sinks = tensor([-1, 0, 2, 30], [H]);
    const { record, lse } = attention(q, k, v, { sinks, record: { window: S } });
    const { windowMass, entropyNats, logitMean } = record.read().statistics;
    const weights = computeAttentionWeights(q, k, { sinks }).toArray();
    const scores = computeAttentionWeights(q, k).toArray();
    expect(scores.length).toBe(weights.length);
    lse.toArray().forEach((total, row) => {
      const own = Array.from({ length: S }, (_, j) => weights[row * S + j] as number);
      const sink = Math.exp((sinks.toArray()[Math.floor(row / L) % H] as number) - total);
      expect((windowMass[row] as number) + sink).toBeCloseTo(1, 6);
      const entropy = own.reduce((sum_, p) => sum_ - p * Math.log(p), 0);
      expect(entropyNats[row]).toBeCloseTo(entropy, 6);
      const mean = own.reduce((sum_, p) => sum_ + p * (Math.log(p) + total), 0);
      expect(logitMean[row]).toBeCloseTo(mean, 5);
    });
  });

  it('decoding with a cache equals the whole sequence', () => {
    const weight = noise([8, H]);
    const tables = { keys: noise([7, D]), values: noise([7, D]) };
    for (const bias of [alibi(alibiSlopes(H)), t5Bias(weight, { maxDistance: 6 }), shaw(tables)]) {
      const [q, k, v] = [noise([B, H, S, D]), noise([B, G, S, D]), noise([B, G, S, D])];
      const [turnedQ, turnedK] = rope(q, k, { width: 4 });
      const whole = attention(turnedQ, turnedK, v, { bias, mask: causal() }).out;
      const cache = new KeyValueCache();
      for (const [start, end] of [
        [0, 4],
        [4, 5],
        [5, 9],
      ] as const) {
        const part = (x: Tensor): Tensor => slice(x, 2, start, end);
        const [stepQ, stepK] = rope(part(q), part(k), { width: 4, offset: cache.length });
        const { out } = attention(stepQ, stepK, part(v), { bias, mask: causal(), cache });
        expectClose(out, part(whole).toArray(), 1e-6);
      }
      cache.dispose();
    }
  });

  it('what only the kernel has is refused beside a normaliser', () => {
    const [q, k, v] = make();
    const normaliser = sigmoidWeights();
    expect(() => attention(q, k, v, { normaliser, sinks: noise([H]) })).toThrow(
      'expected no sinks beside a normaliser',
    );
    const tables = { keys: noise([5, D]), values: noise([5, D]) };
    expect(() => attention(q, k, v, { normaliser, bias: shaw(tables) })).toThrow('expected no vectors by distance');
    const { out } = attention(q, k, v, { normaliser, bias: shaw({ keys: tables.keys }) });
    const weights = computeAttentionWeights(q, k, { normaliser, bias: shaw({ keys: tables.keys }) });
    expectClose(out, applyAttentionWeights(weights, v).toArray(), 1e-9);
  });

  it('rotary scores depend on the distance alone', () => {
    const x = noise([1, 1, 1, 8]);
    const y = noise([1, 1, 1, 8]);
    const score = (i: number, j: number): number => {
      const [a, b] = [rotate(x, { positions: [i] }).toArray(), rotate(y, { positions: [j] }).toArray()];
      return dot(Array.from(a), Array.from(b));
    };
    expect(score(3, 10)).toBeCloseTo(score(103, 110), 5);
    expect(Math.abs(score(3, 10) - score(3, 11))).toBeGreaterThan(1e-4);
  });

  it('refuses what does not fit, and says why', () => {
    const [q, k, v] = make();
    const given = (options: AttentionOptions) => () => attention(q, k, v, options);
    expect(given({ bias: alibi([1, 2]) })).toThrow('alibi: expected slopes [H] = [4], got [2]');
    expect(given({ bias: t5Bias(noise([8, 3])) })).toThrow('t5Bias: expected weight [buckets, H] = [*, 4]');
    expect(given({ bias: t5Bias(noise([2, 4])) })).toThrow('t5Bucket: expected at least 4 buckets');
    expect(given({ bias: shaw({ keys: noise([5, D + 1]) }) })).toThrow('shaw: expected tables of width D = 5');
    expect(() => shaw({ keys: noise([4, D]) })).toThrow('shaw: expected keys [2k + 1, D]');
    expect(() => relativeBias(noise([H, 1, 4]))).toThrow('relativeBias: expected a table [..., 2·reach + 1]');
    expect(given({ bias: relativeBias(noise([3, 1, 5])) })).toThrow('expected the bias by distance broadcastable');
    expect(given({ sinks: noise([3]) })).toThrow('attention: expected sinks [H] = [4], got [3]');
    expect(() => swinBias(noise([24, H]), [3, 3])).toThrow('swinBias: expected table [(2h - 1)·(2w - 1), H] = [25, *]');
    expect(() => rotate(q, { width: 3 })).toThrow('rotate: expected x [B, H, L, D] and an even width up to D');
    expect(() => rotate(q, { width: 4, positions: [1] })).toThrow('rotate: expected positions [L] = [6], got [1]');
    expect(() => rotate(q, { width: 4, scaling: { kind: 'linear', factor: 0.5 } })).toThrow('expected a factor >= 1');
    const learned = new LearnedPositions(4, D, new RandomStream(1));
    expect(() => learned.forward(noise([1, 5, D]))).toThrow('expected at most 4 positions, got 5');
  });
});

describe('modules with positions', () => {
  const context = inference();

  it('a module takes every kind of position, with gradients to its parameters', () => {
    const mechanisms = [new AttentionSinks(3), new QueryKeyNorm(4), rotaryPositions({ width: 2 })];
    const module = new MultiHeadAttention({ width: 12, heads: 3, mechanisms }, new RandomStream(3));
    const biases = [
      new T5RelativeBias({ heads: 3, buckets: 8 }, new RandomStream(4)),
      new ShawRelativePositions({ width: 4, reach: 2 }, new RandomStream(5)),
      new SwinRelativeBias([2, 3], 3, new RandomStream(6)),
    ];
    const x = noise([2, 6, 12]);
    for (const bias of biases) {
      backward(sum(multiply(module.forward(x, context, { bias: bias.forward() }), noise([2, 6, 12]))));
      for (const [name, parameter] of [...bias.parameters(), ...module.parameters()])
        expect([name, Array.from(parameter.grad?.toArray() ?? []).some((g) => g !== 0)]).toEqual([name, true]);
    }
    const names = ['mechanisms.0.logits', 'mechanisms.1.q', 'mechanisms.1.k'];
    expect([...module.parameters().keys()]).toEqual(expect.arrayContaining(names));
    const trace = capture(module, { record: { rows: [5] } }, (seen) =>
      module.forward(x, seen, { bias: biases[0]?.forward(), mask: causal() }),
    );
    expect(trace[0]?.record.weights?.values.length).toBe(2 * 3 * 6);
  });

  it('QK-norm bounds the logits, and a temperature scales them', () => {
    const [q, k, v] = [noise([1, 2, 7, 8]), noise([1, 2, 7, 8]), noise([1, 2, 7, 8])];
    const norm = new QueryKeyNorm(8);
    const [calmQ, calmK] = norm.forward(multiply(q, 1000), k);
    const { record } = attention(calmQ, calmK, v, { record: {} });
    expect(Math.max(...record.read().statistics.logitMax)).toBeLessThanOrEqual(Math.sqrt(8) + 1e-6);
    const temperature = new LearnedTemperature(2);
    temperature.logScale.write([Math.log(2), Math.log(0.5)]);
    const warm = computeAttentionWeights(temperature.forward(q), k, { scale: 1 });
    expectClose(slice(warm, 1, 0, 1), slice(computeAttentionWeights(q, k, { scale: 2 }), 1, 0, 1).toArray(), 1e-6);
    expectClose(slice(warm, 1, 1, 2), slice(computeAttentionWeights(q, k, { scale: 0.5 }), 1, 1, 2).toArray(), 1e-6);
  });

  it('sinusoidal and learned positions are added from where a cache stands', () => {
    const waves = new SinusoidalPositions(9, 4);
    const x = noise([1, 3, 4]);
    const truth = Array.from(x.toArray(), (value, at) => {
      const [p, c] = [5 + Math.floor(at / 4), at % 4];
      const angle = p / 10000 ** ((2 * Math.floor(c / 2)) / 4);
      return value + (c % 2 === 0 ? Math.sin(angle) : Math.cos(angle));
    });
    expectClose(waves.forward(x, 5), truth, 1e-6);
    const learned = new LearnedPositions(9, 4, new RandomStream(2));
    backward(sum(learned.forward(x, 5)));
    const gradient = Array.from(learned.weight.grad?.toArray() ?? []);
    expect(gradient.map((g, at) => g === Number(at >= 20 && at < 32)).every(Boolean)).toBe(true);
  });
});
