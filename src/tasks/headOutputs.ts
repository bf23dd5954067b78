/**
 * What left the heads of an attention call, as plain numbers: norms and likeness of outputs, what keys received, values
 * that are not finite. Of a copy of its tensors on the host; the weights are never built.
 */

import { applyTransposedWeights } from '../attention/transposed.js';
import type { ExpectedAttention, HeadOutputs } from '../core/records.js';
import { gini } from '../metrics/gini.js';
import type { AttentionStages } from '../nn/context.js';
import { tensor } from '../tensor/create.js';
import { noGrad } from '../tensor/recording.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/** Mean weight from which on a key counts as looked at. */
const nothing = 1e-6;

/** Shapes: q, out [B, H, L, D], k, v [B, G, S, D]. Memory: O(B·H·(L·D + S)) on the host, no L×S. */
export function measureHeads(stages: AttentionStages, { queryLengths, keyLengths }: ExpectedAttention): HeadOutputs {
  const [B, H, L] = stages.q.shape as [number, number, number, number];
  const S = stages.k.shape[2] as number;
  const queries = queryLengths ?? new Array<number>(B).fill(L);
  const keys = keyLengths ?? new Array<number>(B).fill(S);
  const received = receivedOf(stages, queries, keys);
  return {
    dots: dotsOf(stages.out, queries),
    nonFinite: nonFiniteOf(stages, queries, keys),
    unevenness: received.map((examples) => examples.map(({ shares }) => gini(shares))),
    ignored: received.map((examples) => examples.reduce((sum, { shares }) => sum + shares.filter(isNothing).length, 0)),
    ignoredByAll: ignoredByAll(received, H),
    keys: keys.reduce((sum, length) => sum + length, 0),
  };
}

interface Received {
  /** What each real key gets of a real query, on average. */
  readonly shares: Float64Array;
}

/** By head and example: the weights' transpose times 1 at real queries, so that padded ones do not count. */
function receivedOf(stages: AttentionStages, queries: readonly number[], keys: readonly number[]): Received[][] {
  const [B, H, L] = stages.q.shape as [number, number, number, number];
  const S = stages.k.shape[2] as number;
  const real = Float32Array.from({ length: B * L }, (_, at) => {
    const length = queries[Math.floor(at / L)] ?? 0;
    return at % L < length ? 1 / length : 0;
  });
  const sums = noGrad(() =>
    scope(() => applyTransposedWeights(stages, tensor(real, [B, 1, L, 1], { backend: stages.q.backend })).toArray()),
  ); // [B, H, S, 1]
  return Array.from({ length: H }, (_, h) =>
    keys.map((length, b) => ({
      shares: Float64Array.from(sums.slice((b * H + h) * S, (b * H + h) * S + length)),
    })),
  );
}

function isNothing(share: number): boolean {
  return share < nothing;
}

function ignoredByAll(received: readonly (readonly Received[])[], H: number): number {
  const examples = received[0] ?? [];
  return examples.reduce((count, { shares }, b) => {
    const unseen = shares.filter((_, j) => {
      for (let h = 0; h < H; h++) if (!isNothing(received[h]?.[b]?.shares[j] ?? 0)) return false;
      return true;
    });
    return count + unseen.length;
  }, 0);
}

/** `Σ out_h · out_g` over real rows, for every pair of heads. */
function dotsOf(out: Tensor, lengths: readonly number[]): number[][] {
  const heads = rowsByHead(out, lengths);
  return heads.map((a) => heads.map((b) => dot(a, b)));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

function nonFiniteOf({ q, k, v, out }: AttentionStages, queries: readonly number[], keys: readonly number[]): number[] {
  const count = (x: Tensor, lengths: readonly number[]): number[] =>
    rowsByHead(x, lengths).map((values) => values.filter((value) => !Number.isFinite(value)).length);
  const [ofQ, ofK, ofV, ofOut] = [count(q, queries), count(k, keys), count(v, keys), count(out, queries)];
  return ofQ.map((own, h) => {
    const g = Math.floor((h * ofK.length) / ofQ.length);
    return own + (ofK[g] ?? 0) + (ofV[g] ?? 0) + (ofOut[h] ?? 0);
  });
}

/** The real rows of every head [B, H, L, D] one after the other. */
function rowsByHead(x: Tensor, lengths: readonly number[]): Float64Array[] {
  const [B, H, L, D] = x.shape as [number, number, number, number];
  const values = x.toArray();
  const size = lengths.reduce((sum, length) => sum + length * D, 0);
  return Array.from({ length: H }, (_, h) => {
    const rows = new Float64Array(size);
    let filled = 0;
    for (let b = 0; b < B; b++) {
      const start = (b * H + h) * L * D;
      const part = values.subarray(start, start + (lengths[b] ?? L) * D);
      rows.set(part, filled);
      filled += part.length;
    }
    return rows;
  });
}
