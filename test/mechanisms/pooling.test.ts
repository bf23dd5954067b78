/** Word-level attention and pooling against their formulas, over random shapes and lengths. */

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { lastPool, maxPool, meanPool, weighSequence } from '../../src/attention/index.js';
import { createReferenceBackend } from '../../src/backend/reference/index.js';
import { RandomStream } from '../../src/core/random.js';
import {
  AdditiveAttention,
  capture,
  DotAttention,
  inference,
  Pooling,
  type WordAttention,
} from '../../src/nn/index.js';
import { backward, copyInto, setBackend, sum, type Tensor, tensor } from '../../src/tensor/index.js';
import { expectAgreement, expectClose, type Numbers, normals } from './agree.js';

const backend = createReferenceBackend({ precision: 'f64' });
beforeAll(() => setBackend(backend));

interface Sizes {
  readonly B: number;
  readonly L: number;
  readonly E: number;
  readonly Q: number;
  readonly lengths: readonly number[];
}

const sizes: fc.Arbitrary<Sizes> = fc
  .record({ B: fc.integer({ min: 1, max: 3 }), L: fc.integer({ min: 1, max: 6 }) })
  .chain(({ B, L }) =>
    fc.record({
      B: fc.constant(B),
      L: fc.constant(L),
      E: fc.integer({ min: 1, max: 5 }),
      Q: fc.integer({ min: 1, max: 4 }),
      lengths: fc.array(fc.integer({ min: 0, max: L }), { minLength: B, maxLength: B }),
    }),
  );

function forRandomSizes(check: (sizes: Sizes) => void): void {
  fc.assert(fc.property(sizes, check), { numRuns: 12 });
}

/** Σ_j p_j·x_j over the first `lengths[b]` words, p = softmax of `score(b, j)`. */
function weighed({ B, L, E, lengths }: Sizes, x: Numbers, score: (b: number, j: number) => number): number[] {
  const out = new Array<number>(B * E).fill(0);
  for (let b = 0; b < B; b++) {
    const scores = Array.from({ length: lengths[b] as number }, (_, j) => score(b, j));
    const total = scores.reduce((sum, value) => sum + Math.exp(value), 0);
    scores.forEach((value, j) => {
      for (let e = 0; e < E; e++)
        (out[b * E + e] as number) += (Math.exp(value) / total) * (x[(b * L + j) * E + e] as number);
    });
  }
  return out;
}

function dot(a: Numbers, aStart: number, b: Numbers, bStart: number, length: number): number {
  let total = 0;
  for (let at = 0; at < length; at++) total += (a[aStart + at] as number) * (b[bStart + at] as number);
  return total;
}

/** Puts the given tensors in the place of a layer's parameters, so that their gradients can be looked at too. */
function withParameters<L extends WordAttention>(layer: L, parameters: Readonly<Record<string, Tensor>>): L {
  for (const [name, parameter] of Object.entries(parameters)) {
    const parts = name.split('.');
    const owner = parts.slice(0, -1).reduce((value, part) => Reflect.get(value, part), layer as object);
    Reflect.set(owner, parts.at(-1) as string, parameter);
  }
  return layer;
}

describe('word-level attention', () => {
  it('is v·tanh(W·x + U·q + b) in additive form, gradients included', () => {
    forRandomSizes((all) => {
      const { B, L, E, Q, lengths } = all;
      const F = 3;
      expectAgreement(
        {
          inputs: [[B, L, E], [B, Q], [F], [F, E], [F], [F, Q]],
          run: ([x, query, ...parameters]) => {
            const [weight, W, b, U] = parameters as [Tensor, Tensor, Tensor, Tensor];
            const layer = new AdditiveAttention({ width: E, hidden: F, queryWidth: Q }, new RandomStream(1));
            withParameters(layer, { weight, 'key.weight': W, 'key.bias': b, 'query.weight': U });
            return layer.forward(x as Tensor, inference(), { lengths, query: query as Tensor });
          },
          formula: ([x, q, v, W, b, U]) =>
            weighed(all, x as Numbers, (row, j) => {
              const hidden = Array.from({ length: F }, (_, f) =>
                Math.tanh(
                  dot(W as Numbers, f * E, x as Numbers, (row * L + j) * E, E) +
                    dot(U as Numbers, f * Q, q as Numbers, row * Q, Q) +
                    ((b as Numbers)[f] as number),
                ),
              );
              return dot(v as Numbers, 0, hidden, 0, F);
            }),
        },
        backend,
      );
    });
  });

  it('is q·x in dot form and q·W·x in general form, with a learned query', () => {
    forRandomSizes((all) => {
      const { B, L, E, lengths } = all;
      for (const form of ['dot', 'general'] as const)
        expectAgreement(
          {
            inputs: [[B, L, E], [E], ...(form === 'general' ? [[E, E]] : [])],
            run: ([x, query, W]) => {
              const layer = new DotAttention({ width: E, form }, new RandomStream(1));
              withParameters(layer, { query: query as Tensor, ...(W && { 'key.weight': W }) });
              return layer.forward(x as Tensor, inference(), { lengths });
            },
            formula: ([x, q, W]) =>
              weighed(all, x as Numbers, (b, j) => {
                const at = (b * L + j) * E;
                const key =
                  form === 'dot'
                    ? (x as Numbers).slice(at, at + E)
                    : Array.from({ length: E }, (_, f) => dot(W as Numbers, f * E, x as Numbers, at, E));
                return dot(q as Numbers, 0, key, 0, E);
              }),
          },
          backend,
        );
    });
  });

  it('shows its one distribution to a capture', () => {
    const layer = new DotAttention({ width: 2, form: 'dot' }, new RandomStream(1));
    copyInto(layer.query as Tensor, tensor([1, 0]));
    const x = tensor(
      [
        [
          [0, 5],
          [Math.log(3), 5],
          [9, 9],
        ],
      ],
      undefined,
      { dtype: 'f32' },
    );
    const [seen] = capture(layer, { record: { rows: 'all' } }, (context) =>
      layer.forward(x, context, { lengths: [2] }),
    );
    expect(seen).toMatchObject({ path: '', kind: 'cross', record: { heads: 1, queries: 1, keys: 3 } });
    expectClose(seen?.record.weights?.values ?? [], [0.25, 0.75, 0], 1e-7, 'weights');
    expect(seen?.record.statistics.keys[0]).toBe(2);
  });

  it('refuses what does not fit and names it', () => {
    const random = new RandomStream(1);
    const x = tensor(normals(12, 1), [2, 3, 2], { dtype: 'f32' });
    const learned = new DotAttention({ width: 2, form: 'dot' }, random);
    const given = new AdditiveAttention({ width: 2, queryWidth: 3 }, random);
    expect(() => new DotAttention({ width: 2, form: 'dot', queryWidth: 3 }, random)).toThrow(/use the form general/);
    expect(() => learned.forward(x, inference(), { query: tensor([[1, 2]]) })).toThrow(/= none, got \[1, 2\]/);
    expect(() => given.forward(x, inference())).toThrow(/expected a query \[B, queryWidth\] = \[2, 3\], got none/);
    expect(() => learned.forward(x, inference(), { lengths: [1] })).toThrow(/lengths \[B\] = \[2\], got \[1\]/);
    expect(() => weighSequence(tensor([1]), x, x)).toThrow(/query \[B, D\] and keys \[B, S, D\]/);
  });
});

describe('pooling', () => {
  it('is the mean, the maximum or the last of the valid positions, gradients included', () => {
    forRandomSizes((all) => {
      const { B, L, E, lengths } = all;
      const column = (x: Numbers, b: number, e: number): number[] =>
        Array.from({ length: lengths[b] as number }, (_, j) => x[(b * L + j) * E + e] as number);
      const forms = {
        mean: (values: number[]) => values.reduce((total, value) => total + value, 0) / values.length,
        max: (values: number[]) => Math.max(...values),
        last: (values: number[]) => values.at(-1) as number,
      };
      for (const [form, of] of Object.entries(forms))
        expectAgreement(
          {
            inputs: [[B, L, E]],
            run: ([x]) => new Pooling(form as keyof typeof forms).forward(x as Tensor, inference(), { lengths }),
            formula: ([x]) =>
              Array.from({ length: B * E }, (_, at) => {
                const values = column(x as Numbers, Math.floor(at / E), at % E);
                return values.length === 0 ? 0 : of(values);
              }),
          },
          backend,
        );
    });
  });

  it('never looks at padding, even when it holds NaN', () => {
    const x = tensor([1, 2, NaN, 3, NaN, Infinity], [2, 3, 1], { dtype: 'f32', requiresGrad: true });
    const pooled = [meanPool(x, { lengths: [2, 1] }).out, maxPool(x, [2, 1]), lastPool(x, [2, 1])];
    expect(pooled.map((out) => Array.from(out.toArray()))).toEqual([
      [1.5, 3],
      [2, 3],
      [2, 3],
    ]);
    for (const out of pooled) backward(sum(out));
    expect(Array.from((x.grad as Tensor).toArray())).toEqual([0.5, 2.5, 0, 3, 0, 0]);
  });

  it('shows equal weights for the mean', () => {
    const x = tensor(normals(6, 3), [1, 3, 2], { dtype: 'f32' });
    const layer = new Pooling('mean');
    const [seen] = capture(layer, { record: { rows: 'all' } }, (context) =>
      layer.forward(x, context, { lengths: [2] }),
    );
    expect(Array.from(seen?.record.weights?.values ?? [])).toEqual([0.5, 0.5, 0]);
  });

  it('refuses lengths that do not fit', () => {
    const x = tensor(normals(6, 3), [1, 3, 2], { dtype: 'f32' });
    for (const pool of [maxPool, lastPool, (y: Tensor, lengths: number[]) => meanPool(y, { lengths })])
      expect(() => pool(x, [4])).toThrow(/expected lengths in \[0, L\] = \[0, 3\], got 4/);
    expect(() => maxPool(tensor([[1]]))).toThrow(/x of rank 3 \[B, L, E\]/);
  });
});
