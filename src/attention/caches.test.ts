import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { inference } from '../nn/context.js';
import { MultiHeadAttention } from '../nn/multiHeadAttention.js';
import { concat, normal, setBackend, slice, type Tensor, tensor } from '../tensor/index.js';
import { attention } from './attention.js';
import type { AttentionCache } from './attentionCache.js';
import { KeyValueCache } from './cache.js';
import { and, booleanMask, causal, type Mask, slidingWindow } from './mask.js';
import type { AttentionOptions } from './options.js';
import { PagedCache } from './pagedCache.js';
import { RollingCache } from './rollingCache.js';

const random = new RandomStream(13);
const [H, G, D, Dv] = [4, 2, 3, 5] as const;

interface Call {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
}

const noise = (...shape: number[]): Tensor => normal(shape, { random });
const made = (B: number, L: number): Call => ({ q: noise(B, H, L, D), k: noise(B, G, L, D), v: noise(B, G, L, Dv) });
const part = (x: Tensor, start: number, end: number): Tensor => slice(x, 2, start, end);
const row = (x: Tensor, b: number): Tensor => slice(x, 0, b, b + 1);

function expectClose(got: Tensor, wanted: Tensor, label = ''): void {
  expect(got.shape, label).toEqual(wanted.shape);
  const values = wanted.toArray();
  got.toArray().forEach((value, at) => {
    if (!(Math.abs(value - (values[at] as number)) < 1e-11)) expect.fail(`${label} [${at}]: ${value}, ${values[at]}`);
  });
}

/** The sequence through the cache, `steps` tokens at a time. */
function decoded(
  { q, k, v }: Call,
  cache: AttentionCache,
  steps: readonly number[],
  options: AttentionOptions,
): Tensor {
  let start = 0;
  const outs = steps.map((step) => {
    const range = [start, start + step] as const;
    start += step;
    return attention(part(q, ...range), part(k, ...range), part(v, ...range), { ...options, cache }).out;
  });
  return concat(outs, 2);
}

const steps = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 9 });
const total = (list: readonly number[]): number => list.reduce((sum, step) => sum + step, 0);

beforeAll(() => setBackend(createReferenceBackend({ precision: 'f64' })));

describe('RollingCache', () => {
  it('gives what the whole sequence gives under sinks and a window, in steps of any size', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 3 }), (list, window, sinks) => {
        const L = total(list);
        const call = made(2, L);
        const seen = Uint8Array.from({ length: L * L }, (_, at) => {
          const [i, j] = [Math.floor(at / L), at % L];
          return Number(j < sinks || j > i - window);
        });
        const mask = and(causal(), booleanMask(tensor(seen, [L, L])));
        const whole = attention(call.q, call.k, call.v, { mask }).out;
        using cache = new RollingCache({ window, sinks });
        expectClose(decoded(call, cache, list, { mask: causal() }), whole);
        expect(cache.length).toBe(L);
        expect(cache.heldLength).toBeLessThanOrEqual(sinks + window - 1 + (list.at(-1) as number));
      }),
      { numRuns: 25 },
    );
  });

  it('holds no more than twice the window however long the text grows', () => {
    using cache = new RollingCache({ window: 8, sinks: 2 });
    const call = made(1, 200);
    let largest = 0;
    for (let i = 0; i < 200; i++) {
      const { k } = cache.append(part(call.k, i, i + 1), part(call.v, i, i + 1));
      largest = Math.max(largest, (k.strides[1] as number) / D); // slots of one head
    }
    expect(largest).toBeLessThanOrEqual(2 * 8 + 2);
  });

  it('refuses impossible sizes and keys of another model', () => {
    expect(() => new RollingCache({ window: 0 })).toThrow(/window a whole number >= 1, got 0/);
    expect(() => new RollingCache({ window: 2, sinks: -1 })).toThrow(/sinks a whole number >= 0, got -1/);
    using cache = new RollingCache({ window: 2 });
    cache.append(noise(1, G, 1, D), noise(1, G, 1, Dv));
    expect(() => cache.append(noise(1, G, 1, D + 1), noise(1, G, 1, Dv))).toThrow(/k \[1, 2, \*, 3\].*another model/);
  });
});

describe('PagedCache', () => {
  it('gives what the whole sequence gives, for pages and steps of any size, with and without gathering', () => {
    const masks: Mask[] = [causal(), and(causal(), slidingWindow({ left: 2 }))];
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), fc.nat(1), (list, pageSize, which) => {
        const L = total(list);
        const call = made(3, L);
        const mask = masks[which] as Mask;
        const whole = attention(call.q, call.k, call.v, { mask, softcap: 3 });
        const pages = 3 * Math.ceil(L / pageSize);
        for (const record of [undefined, { statistics: true } as const]) {
          using cache = new PagedCache({ pages, pageSize });
          expectClose(decoded(call, cache, list, { mask, softcap: 3, record }), whole.out);
          expect(cache.freePages).toBe(0);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('gives the lse of the whole', () => {
    const { q, k, v } = made(2, 9);
    using cache = new PagedCache({ pages: 8, pageSize: 4 });
    cache.append(part(k, 0, 6), part(v, 0, 6));
    const { lse } = attention(part(q, 6, 9), part(k, 6, 9), part(v, 6, 9), { mask: causal(), cache });
    expectClose(lse, part(attention(q, k, v, { mask: causal() }).lse, 6, 9));
  });

  it('keeps the pages of a growing sequence neighbours', () => {
    using cache = new PagedCache({ pages: 64, pageSize: 2 });
    for (let step = 0; step < 16; step++) cache.append(noise(3, G, 1, D), noise(3, G, 1, Dv));
    for (const [first = 0, ...others] of cache.tables) expect(others).toEqual(others.map((_, at) => first + at + 1));
  });

  it('shares pages between copies until one of them writes', () => {
    const [before, first, second] = [made(1, 5), made(2, 1), made(2, 3)];
    using cache = new PagedCache({ pages: 8, pageSize: 4 });
    cache.append(before.k, before.v);
    cache.reorder([0, 0]);
    expect(cache.freePages).toBe(6);
    expect(() => cache.append(noise(2, G, 32, D), noise(2, G, 32, Dv))).toThrow(/expected 17 free pages/); // 16 and a copy
    const outs = [first, second].map(({ q, k, v }) => attention(q, k, v, { mask: causal(), cache }).out);
    expect(cache.freePages).toBe(3); // one of them copied the second page, both took a third
    for (const b of [0, 1]) {
      const whole = (name: keyof Call): Tensor => concat([before[name], row(first[name], b), row(second[name], b)], 2);
      const { out } = attention(whole('q'), whole('k'), whole('v'), { mask: causal() });
      expectClose(row(concat(outs, 2), b), part(out, 5, 9), `row ${b}`);
    }
    cache.reorder([1]);
    cache.truncate([4]);
    expect(cache.freePages).toBe(7);
    cache.dispose();
    expect(cache.freePages).toBe(8);
  });

  it('says when its memory is used up, and is as it was before', () => {
    using cache = new PagedCache({ pages: 3, pageSize: 2 });
    cache.append(noise(2, G, 2, D), noise(2, G, 2, Dv));
    const run = () => cache.append(noise(2, G, 1, D), noise(2, G, 1, Dv));
    expect(run).toThrow(/expected 2 free pages for 2 × 1 positions, got 1; truncate or dispose/);
    expect(cache.lengths).toEqual([2, 2]);
    expect(() => cache.append(noise(3, G, 1, D), noise(3, G, 1, Dv))).toThrow(/as this cache holds/);
    expect(() => cache.reorder([2])).toThrow(/rows in \[0, 2\), got \[2\]/);
    expect(() => new PagedCache({ pages: 0 })).toThrow(/pages a whole number >= 1, got 0/);
  });
});

describe.each([
  ['KeyValueCache', () => new KeyValueCache()],
  ['PagedCache', () => new PagedCache({ pages: 20, pageSize: 3 })],
] as const)('a batch of different lengths in a %s', (_, make) => {
  it('gives every sequence what it gets alone', () => {
    const [prompt, one, three] = [made(3, 5), made(3, 1), made(3, 3)]; // prompts padded on the right
    const lengths = [5, 1, 3];
    for (const record of [undefined, { rows: 'all' } as const]) {
      using cache = make();
      const read = attention(prompt.q, prompt.k, prompt.v, { mask: causal(), cache }).out;
      cache.truncate(lengths);
      expect(cache.lengths).toEqual(lengths);
      const outs = [one, three].map(({ q, k, v }) => attention(q, k, v, { mask: causal(), cache, record }).out);
      lengths.forEach((length, b) => {
        const whole = (name: keyof Call): Tensor =>
          concat([part(row(prompt[name], b), 0, length), row(one[name], b), row(three[name], b)], 2);
        const { out } = attention(whole('q'), whole('k'), whole('v'), { mask: causal() });
        expectClose(part(row(read, b), 0, length), part(out, 0, length), `prompt ${b}`);
        expectClose(row(concat(outs, 2), b), part(out, length, length + 4), `row ${b}`);
      });
    }
  });

  it('can take back tokens that were tried, and refuses to make some up', () => {
    const { q, k, v } = made(2, 8);
    using cache = make();
    cache.append(part(k, 0, 4), part(v, 0, 4));
    cache.append(noise(2, G, 3, D), noise(2, G, 3, Dv));
    cache.truncate([4, 4]);
    const { out } = attention(part(q, 4, 8), part(k, 4, 8), part(v, 4, 8), { mask: causal(), cache });
    expectClose(out, part(attention(q, k, v, { mask: causal() }).out, 4, 8));
    expect(() => cache.truncate([9, 1])).toThrow(/at most \[8, 8\], got \[9, 1\]; a cache can only forget/);
    expect(() => cache.truncate([1])).toThrow(/at most \[8, 8\]/);
  });
});

describe('a cache in a layer', () => {
  it('is refused when another layer filled it', () => {
    const layers = [0, 1].map(() => new MultiHeadAttention({ width: 8, heads: 2 }, random));
    using cache = new KeyValueCache();
    const x = noise(1, 1, 8);
    layers[0]?.forward(x, inference(), { mask: causal(), cache });
    expect(() => layers[1]?.forward(x, inference(), { cache })).toThrow(/the layer that filled it/);
    cache.dispose();
    expect(layers[1]?.forward(x, inference(), { cache }).shape).toEqual([1, 1, 8]);
  });
});
