import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { type StatisticName, statisticNames } from '../core/records.js';
import { sizeOf } from '../core/shape.js';
import { backward } from '../tensor/autograd.js';
import { setBackend, tensor } from '../tensor/create.js';
import { affine, log, maximum, multiply } from '../tensor/elementwise.js';
import { mean, sum } from '../tensor/reduce.js';
import { Tensor } from '../tensor/tensor.js';
import { slice } from '../tensor/views.js';
import { attention } from './attention.js';
import { KeyValueCache } from './cache.js';
import { applyAttentionWeights, computeAttentionWeights } from './explicit.js';
import { and, booleanMask, causal, keyPadding, slidingWindow } from './mask.js';
import type { AttentionOptions } from './options.js';
import { peek } from './peek.js';
import { differentiableStatistics } from './recording.js';

const random = new RandomStream(7);

function noise(shape: readonly number[], options: { requiresGrad?: boolean } = {}): Tensor {
  return tensor(
    Float64Array.from({ length: sizeOf(shape) }, () => random.normal()),
    shape,
    options,
  );
}

function largestGap(a: Tensor, b: Tensor): number {
  const [x, y] = [Array.from(a.toArray()), b.toArray()];
  expect(a.shape).toEqual(b.shape);
  return x.reduce((gap, value, index) => Math.max(gap, Math.abs(value - (y[index] as number))), 0);
}

function explicitly(q: Tensor, k: Tensor, v: Tensor, { dropout, record, cache, ...options }: AttentionOptions): Tensor {
  return applyAttentionWeights(computeAttentionWeights(q, k, options), v);
}

/** Mean entropy by the record. */
function fusedEntropy(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  return mean(attention(q, k, v, { ...options, record: {} }).record.tensor('entropyNats'));
}

/** The same from the whole weight matrix; weights of 0 are moved off the logarithm's pole, which they multiply by 0. */
function explicitEntropy(q: Tensor, k: Tensor, options: AttentionOptions): Tensor {
  const { dropout, record, cache, ...rest } = options;
  const p = computeAttentionWeights(q, k, rest);
  return affine(sum(multiply(p, log(maximum(p, 1e-300)))), -1 / (B * H * L), 0);
}

const [B, H, G, L, S, D, Dv] = [2, 4, 2, 5, 7, 3, 6] as const;

function mechanisms(): [string, AttentionOptions][] {
  const allowed = tensor(
    Uint8Array.from({ length: L * S }, (_, index) => Number(index % 3 !== 0)),
    [L, S],
    { dtype: 'u8' },
  );
  return [
    ['dense', {}],
    ['causal', { mask: causal() }],
    ['causal with an offset', { mask: causal(), offset: 2 }],
    ['window', { mask: slidingWindow({ left: 1, right: 2 }) }],
    ['key padding with an empty sequence', { mask: keyPadding([5, 0]) }],
    ['boolean', { mask: booleanMask(allowed) }],
    ['composed', { mask: and(causal(), keyPadding([2, 7]), booleanMask(allowed), slidingWindow({ left: 3 })) }],
    ['bias per head', { bias: noise([H, L, S]) }],
    [
      'bias that forbids',
      {
        bias: tensor(
          Float32Array.from({ length: S }, (_, j) => (j === 3 ? -Infinity : j / 4)),
          [S],
        ),
      },
    ],
    ['softcap and scale', { softcap: 1.5, scale: 0.7 }],
  ];
}

beforeAll(() => setBackend(createReferenceBackend({ precision: 'f64' })));

describe('attention', () => {
  it('equals the explicit path for every mask, bias and head grouping, gradients included', () => {
    for (const [name, options] of mechanisms()) {
      const [q, k, v] = [noise([B, H, L, D]), noise([B, G, S, D]), noise([B, G, S, Dv])];
      const inputs = [q, k, v, ...(options.bias instanceof Tensor ? [options.bias] : [])];
      const weight = noise([B, H, L, Dv]);
      const gradients = [attention(q, k, v, options).out, explicitly(q, k, v, options)].map((_, path) => {
        for (const input of inputs) {
          input.requiresGrad = true;
          input.grad = undefined;
        }
        const out = path === 0 ? attention(q, k, v, options).out : explicitly(q, k, v, options);
        backward(sum(multiply(out, weight)));
        return [out, ...inputs.map(({ grad }) => grad as Tensor)];
      });
      const [fused, plain] = gradients as [Tensor[], Tensor[]];
      fused.forEach((value, index) => {
        expect(largestGap(value, plain[index] as Tensor), `${name}, tensor ${index}`).toBeLessThan(1e-9);
      });
    }
  });

  it('keeps dropout the same in backward and scales what is kept', () => {
    const [q, k, v] = [noise([1, 1, 2, 3], { requiresGrad: true }), noise([1, 1, 400, 3]), noise([1, 1, 400, 1])];
    const ones = tensor(new Float64Array(400).fill(1), [1, 1, 400, 1], { requiresGrad: true });
    const options = { dropout: { rate: 0.25, seed: 11 }, scale: 0 };
    const { out } = attention(q, k, ones, options);
    for (const share of out.toArray()) expect(share).toBeCloseTo(1, 0); // mean of 400 kept with weight 1/0.75
    backward(sum(out));
    const kept = (ones.grad as Tensor).toArray().filter((value) => value !== 0).length;
    expect(kept / 400).toBeGreaterThan(0.85); // at least one of two rows keeps a key: 1 - 0.25²
    expect(kept / 400).toBeLessThan(0.99);
    expect(attention(q, k, v, options).out.toArray()).toEqual(attention(q, k, v, options).out.toArray());
  });

  it('records what the explicit weights say and changes no bit of the result', () => {
    for (const [name, options] of mechanisms()) {
      const [q, k, v] = [noise([B, H, L, D]), noise([B, G, S, D]), noise([B, G, S, Dv])];
      const { out, lse, record } = attention(q, k, v, { ...options, record: { rows: 'all' } });
      const bare = attention(q, k, v, options);
      expect(out.toArray()).toEqual(bare.out.toArray());
      expect(lse.toArray()).toEqual(bare.lse.toArray());
      const weights = Array.from(computeAttentionWeights(q, k, options).toArray());
      const { statistics, weights: rows } = record.read();
      for (let row = 0; row < B * H * L; row++) {
        const p = weights.slice(row * S, (row + 1) * S);
        const self = (row % L) + (options.offset ?? 0);
        const entropy = -p.reduce((total, value) => total + (value > 0 ? value * Math.log(value) : 0), 0);
        const expected = {
          pMax: Math.max(...p),
          entropyNats: entropy,
          firstMass: p[0],
          selfMass: p[self] ?? 0,
          previousMass: p[self - 1] ?? 0,
          nextMass: p[self + 1] ?? 0,
        };
        for (const [statistic, value] of Object.entries(expected)) {
          const recorded = statistics[statistic as keyof typeof expected][row] as number;
          expect(Math.abs(recorded - (value as number)), `${name}: ${statistic} of row ${row}`).toBeLessThan(1e-5);
        }
      }
      expect(
        Math.max(...weights.map((value, index) => Math.abs(value - (rows?.values[index] as number)))),
      ).toBeLessThan(1e-6);
    }
  });

  it('lets a loss use lse and the statistics, beside out or alone', () => {
    for (const [name, options] of mechanisms()) {
      const inputs = [noise([B, H, L, D]), noise([B, G, S, D]), noise([B, G, S, Dv])] as const;
      const gradients = [false, true].map((explicit) => {
        for (const input of inputs) {
          input.requiresGrad = true;
          input.grad = undefined;
        }
        backward(explicit ? explicitEntropy(inputs[0], inputs[1], options) : fusedEntropy(...inputs, options));
        return inputs.map(({ grad }) => grad);
      });
      const [fused, plain] = gradients as [Tensor[], Tensor[]];
      for (const at of [0, 1])
        expect(largestGap(fused[at] as Tensor, plain[at] as Tensor), `${name}, tensor ${at}`).toBeLessThan(1e-9);
      expect(fused[2]?.toArray().every((value) => value === 0)).toBe(true);
    }
  });

  it('refuses a loss on a statistic without a derivative, by name', () => {
    const [q, k] = [noise([1, 1, 3, 2], { requiresGrad: true }), noise([1, 1, 3, 2])];
    for (const name of statisticNames) {
      const { record } = attention(q, k, k, { record: {} });
      const run = (): void => backward(sum(record.tensor(name)));
      if (differentiableStatistics.has(name)) expect(run).not.toThrow();
      else expect(run, name).toThrow(new RegExp(`got one on ${name}, which has no gradient`));
    }
    const { record } = attention(q, k, k, { record: {} });
    expect(() => record.tensor('entropy' as StatisticName)).toThrow(/expected one of keys, .*got entropy/);
  });

  it('records attention received, the map, the largest weights and zero keys of the explicit weights', () => {
    for (const [name, options] of mechanisms()) {
      const [q, k, v] = [noise([B, H, L, D]), noise([B, G, S, D]), noise([B, G, S, Dv])];
      const keySet = tensor(Uint8Array.of(1, 0, 0, 1, 0, 0, 1), [S], { dtype: 'u8' });
      const record = { received: true, tiles: 2, topK: 2, zeroKeys: true, window: 1, keySet } as const;
      const all = attention(q, k, v, { ...options, record }).record.read();
      const p = Array.from(computeAttentionWeights(q, k, options).toArray());
      const close = (got: number | undefined, wanted: number, label: string): void =>
        expect(Math.abs((got as number) - wanted), `${name}: ${label}`).toBeLessThan(1e-6);
      for (let head = 0; head < B * H; head++) {
        const rows = Array.from({ length: L }, (_, i) => p.slice((head * L + i) * S, (head * L + i + 1) * S));
        const used = rows.filter((row) => row.some((weight) => weight > 0));
        for (let j = 0; j < S; j++)
          close(
            all.received?.[head * S + j],
            rows.reduce((sum, row) => sum + (row[j] as number), 0),
            `received ${j}`,
          );
        const late = used.filter((row) => Math.floor((rows.indexOf(row) * 2) / L) === 1);
        const second = late.reduce((sum, row) => sum + row.slice(4).reduce((a, b) => a + b, 0), 0); // keys of bin 1
        close(all.tiles?.values[head * 4 + 3], late.length === 0 ? 0 : second / late.length, 'map, last cell');
        rows.forEach((row, i) => {
          const at = head * L + i;
          const largest = Math.max(...row);
          close(all.top?.weights[2 * at], largest, 'largest weight');
          expect(all.top?.keys[2 * at], `${name}: its key`).toBe(largest > 0 ? row.indexOf(largest) : -1);
          close(
            all.statistics.setMass[at],
            [0, 3, 6].reduce((sum, j) => sum + (row[j] as number), 0),
            'set mass',
          );
          expect(all.zeroKeys?.[at]).toBe((all.statistics.keys[at] as number) - row.filter((x) => x >= 1e-6).length);
        });
      }
    }
  });

  it('refuses what does not fit and names it', () => {
    const [q, k, v] = [noise([2, 4, 3, 8]), noise([2, 2, 5, 8]), noise([2, 2, 5, 8])];
    expect(() => attention(q, noise([2, 2, 5, 4]), v)).toThrow(/expected k \[B, G, S, D\].*D differs/);
    expect(() => attention(q, k, noise([2, 2, 6, 8]))).toThrow(/v .*S differs/);
    expect(() => attention(q, noise([2, 3, 5, 8]), noise([2, 3, 5, 8]))).toThrow(/multiple of G = 3/);
    expect(() => attention(q, k, v, { bias: noise([3, 4]) })).toThrow(/bias broadcastable/);
    expect(() => attention(q, k, v, { mask: keyPadding([1]) })).toThrow(/key lengths \[B\] = \[2\]/);
    expect(() => attention(q, k, v, { dropout: { rate: 1, seed: 0 } })).toThrow(/dropout rate in \[0, 1\)/);
    expect(() => attention(q, k, v, { causal: true } as AttentionOptions)).toThrow(/expected one of scale.*got causal/);
    const recording = (record: object) => () => attention(q, k, v, { record } as AttentionOptions);
    expect(recording({ topk: 3 })).toThrow(/record: expected one of statistics, .*topK.*got topk/);
    expect(recording({ tiles: 0 })).toThrow(/record.tiles a whole number >= 1, got 0/);
    expect(recording({ window: -1 })).toThrow(/record.window a whole number >= 0, got -1/);
    expect(recording({ keySet: noise([5]) })).toThrow(/record.keySet a u8 tensor, got f32/);
    expect(recording({ keySet: tensor([1, 1, 1], [3, 1], { dtype: 'u8' }) })).toThrow(
      /\[B, S\] = \[2, 5\], got \[3, 1\]/,
    );
    expect(() => slidingWindow({ left: -1 })).toThrow(/whole number >= 0/);
  });
});

describe('peek', () => {
  it('shows any rows, columns, head or tile of the pattern', () => {
    for (const [name, options] of mechanisms()) {
      const [q, k, v] = [noise([B, H, L, D]), noise([B, G, S, D]), noise([B, G, S, Dv])];
      const { lse } = attention(q, k, v, options);
      const whole = computeAttentionWeights(q, k, options);
      const source = { q, k, lse, ...options };
      expect(largestGap(peek(source), whole), name).toBeLessThan(1e-12);
      const tile = slice(slice(slice(whole, 1, 3, 4), 2, 1, 4), 3, 2, 6);
      expect(
        largestGap(peek(source, { head: 3, rows: { start: 1, end: 4 }, columns: { start: 2, end: 6 } }), tile),
        name,
      ).toBeLessThan(1e-12);
      expect(largestGap(slice(peek(source, { rows: [4, 0] }), 2, 1, 2), slice(whole, 2, 0, 1)), name).toBeLessThan(
        1e-12,
      );
      expect(() => peek(source, { rows: [L] })).toThrow(/expected rows within \[0, 5\)/);
    }
  });
});

describe('KeyValueCache', () => {
  it('makes step-by-step decoding equal the full causal forward', () => {
    const [q, k, v] = [noise([2, 4, 20, 3]), noise([2, 2, 20, 3]), noise([2, 2, 20, 5])];
    const full = attention(q, k, v, { mask: causal() }).out;
    using cache = new KeyValueCache();
    for (let start = 0; start < 20; start += start < 6 ? 1 : 7) {
      const stop = start + (start < 6 ? 1 : 7);
      const part = (x: Tensor): Tensor => slice(x, 2, start, stop);
      const { out } = attention(part(q), part(k), part(v), { mask: causal(), cache });
      expect(largestGap(out, slice(full, 2, start, stop))).toBeLessThan(1e-12);
    }
    expect(cache.length).toBe(20);
  });

  it('reorders, repeats and drops rows', () => {
    using cache = new KeyValueCache();
    const [k, v] = [noise([3, 1, 2, 2]), noise([3, 1, 2, 2])];
    cache.append(k, v);
    cache.reorder([2, 2]);
    expect(largestGap(slice(cache.held().k, 0, 1, 2), slice(k, 0, 2, 3))).toBe(0);
    expect(() => cache.append(noise([3, 1, 1, 2]), noise([3, 1, 1, 2]))).toThrow(
      /expected k \[2, 1, \*, 2\] as this cache holds/,
    );
  });
});
