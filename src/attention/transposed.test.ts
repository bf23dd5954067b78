import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { sizeOf } from '../core/shape.js';
import { setBackend, tensor } from '../tensor/create.js';
import { matmul } from '../tensor/linearAlgebra.js';
import { sum } from '../tensor/reduce.js';
import type { Tensor } from '../tensor/tensor.js';
import { transpose } from '../tensor/views.js';
import { attention } from './attention.js';
import { computeAttentionWeights } from './explicit.js';
import { and, booleanMask, causal, keyPadding, slidingWindow } from './mask.js';
import type { AttentionOptions } from './options.js';
import type { PeekSource } from './peek.js';
import { rollout } from './rollout.js';
import { applyTransposedWeights, attentionReceived } from './transposed.js';

const random = new RandomStream(11);
const [B, H, G, L, S, D] = [2, 4, 2, 5, 7, 3] as const;

function noise(shape: readonly number[]): Tensor {
  return tensor(
    Float64Array.from({ length: sizeOf(shape) }, () => random.normal()),
    shape,
  );
}

/** A call with its source and its explicit weights [B, H, L, S]. */
function call(options: AttentionOptions, keys: number = S): { readonly source: PeekSource; readonly weights: Tensor } {
  const [q, k] = [noise([B, H, L, D]), noise([B, G, keys, D])];
  const { lse } = attention(q, k, k, options);
  return { source: { q, k, lse, ...options }, weights: computeAttentionWeights(q, k, options) };
}

function expectClose(got: Tensor, wanted: Tensor, label = ''): void {
  expect(got.shape).toEqual(wanted.shape);
  const values = wanted.toArray();
  got.toArray().forEach((value, at) => {
    expect(Math.abs(value - (values[at] as number)), `${label} [${at}]`).toBeLessThan(1e-12);
  });
}

function mechanisms(): [string, AttentionOptions][] {
  const allowed = tensor(
    Uint8Array.from({ length: L * S }, (_, at) => Number(at % 3 !== 0)),
    [L, S],
    { dtype: 'u8' },
  );
  return [
    ['dense', {}],
    ['causal with an offset', { mask: causal(), offset: 2 }],
    ['window', { mask: slidingWindow({ left: 1, right: 2 }) }],
    ['composed, with an empty sequence', { mask: and(causal(), keyPadding([2, 0]), booleanMask(allowed)) }],
    ['bias, softcap and scale', { bias: noise([H, L, S]), softcap: 1.5, scale: 0.7 }],
  ];
}

beforeAll(() => setBackend(createReferenceBackend({ precision: 'f64' })));

describe('applyTransposedWeights', () => {
  it('equals the product with the explicit weights, for every mask and any number of columns', () => {
    for (const [name, options] of mechanisms()) {
      const { source, weights } = call(options);
      for (const shape of [
        [B, H, L, 1],
        [B, H, L, 4],
        [L, 2],
        [B, 1, L, 1],
      ]) {
        const r = noise(shape);
        expectClose(applyTransposedWeights(source, r), matmul(transpose(weights), r), `${name} ${shape}`);
      }
    }
  });

  it('gives zeros where there is no query', () => {
    const [q, k, lse] = [noise([1, 2, 0, 3]), noise([1, 2, 4, 3]), noise([1, 2, 0])];
    expect([...applyTransposedWeights({ q, k, lse }, noise([1, 2, 0, 1])).toArray()]).toEqual(Array(8).fill(0));
  });

  it('refuses an r that does not fit and names it', () => {
    const { source } = call({});
    expect(() => applyTransposedWeights(source, noise([B, H, L + 1, 1]))).toThrow(
      /expected r broadcastable to \[B, H, L, C\]/,
    );
    expect(() => applyTransposedWeights(source, noise([1, B, H, L, 1]))).toThrow(/broadcastable/);
  });
});

describe('attentionReceived', () => {
  it('gives the column sums of the weights', () => {
    for (const [name, options] of mechanisms()) {
      const { source, weights } = call(options);
      expectClose(attentionReceived(source), sum(weights, 2), name);
    }
  });
});

describe('rollout', () => {
  /** One row of the product of ½·P̄ + ½·I over the layers, the last layer first. */
  function explicitRollout(layers: readonly Tensor[], b: number, position: number): number[] {
    let row = Array.from({ length: L }, (_, at) => Number(at === position));
    for (const weights of [...layers].reverse()) {
      const p = weights.toArray();
      const meanOf = (i: number, j: number): number =>
        Array.from({ length: H }, (_, h) => p[((b * H + h) * L + i) * L + j] as number).reduce((x, y) => x + y) / H;
      row = row.map((kept, j) => kept / 2 + row.reduce((total, share, i) => total + (share * meanOf(i, j)) / 2, 0));
    }
    return row;
  }

  it('equals the explicit product of the layers', () => {
    const layers = [{}, { mask: causal() }, { mask: slidingWindow({ left: 1, right: 1 }) }].map((options) =>
      call(options, L),
    );
    const sources = layers.map(({ source }) => source);
    for (const position of [0, L - 1]) {
      const shares = rollout(sources, position);
      expect(shares.shape).toEqual([B, L]);
      const wanted = [0, 1].flatMap((b) =>
        explicitRollout(
          layers.map(({ weights }) => weights),
          b,
          position,
        ),
      );
      expectClose(shares, tensor(wanted, [B, L]));
      expectClose(sum(shares, 1), tensor([1, 1], [B]));
    }
  });

  it('refuses what it cannot follow and says why', () => {
    const { source } = call({}, L);
    expect(() => rollout([], 0)).toThrow(/at least one layer/);
    expect(() => rollout([source], L)).toThrow(/a position in \[0, 5\), got 5/);
    expect(() => rollout([source], 0.5)).toThrow(/a position/);
    expect(() => rollout([source, call({}).source], 0)).toThrow(/got \[2, 5, 7\] in layer 1; self-attention only/);
  });
});
