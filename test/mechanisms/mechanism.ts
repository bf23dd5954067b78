/**
 * What a mechanism has to say for itself: its formula from the paper in plain numbers, how to call it, and which of
 * record, peek and cache it has. `viaAttention` makes one from a few lines; mechanisms.ts is the list.
 */

import { expect } from 'vitest';
import { type AttentionOptions, and, attention, causal, KeyValueCache, peek } from '../../src/attention/index.js';
import type { Backend } from '../../src/backend/contract.js';
import { sizeOf } from '../../src/core/shape.js';
import { noGrad, scope, slice, type Tensor, tensor } from '../../src/tensor/index.js';
import { type Agreement, expectClose, type Numbers, normals } from './agree.js';

export interface Sizes {
  readonly B: number;
  readonly H: number;
  readonly G: number;
  readonly L: number;
  readonly S: number;
  readonly D: number;
  readonly Dv: number;
}

/** One line of docs/mechanisms.md and the proof of it. */
export interface Mechanism {
  readonly name: string;
  /** When to use it, one sentence. */
  readonly use: string;
  /** Time and memory beside plain attention. */
  readonly cost: string;
  readonly paper: string;
  agreement(sizes: Sizes): Agreement;
  /** Each throws when what it looks at is wrong; left out: the mechanism has no such thing. */
  readonly record?: ((backend: Backend) => void) | undefined;
  readonly peek?: ((backend: Backend) => void) | undefined;
  readonly cache?: ((backend: Backend) => void) | undefined;
}

/** A pair: query i of head h of sequence b, and key j. */
export interface Pair {
  readonly b: number;
  readonly h: number;
  readonly i: number;
  readonly j: number;
}

/** A mechanism of the one attention call. */
export interface AttentionMechanism extends Pick<Mechanism, 'name' | 'use' | 'cost' | 'paper'> {
  /** Shapes of its parameters, if it has any. */
  readonly parameters?: (sizes: Sizes) => readonly (readonly number[])[];
  readonly options: (sizes: Sizes, parameters: readonly Tensor[]) => AttentionOptions;
  /** What becomes of `q_i·k_j / sqrt(D)`; -Infinity forbids. Default: nothing. */
  readonly score?: (score: number, pair: Pair, sizes: Sizes, parameters: readonly Numbers[]) => number;
  /** Scores of a row to weights. Default softmax. */
  readonly normalise?: (row: readonly number[]) => readonly number[];
  /** All scores [B, H, L, S] to all weights, in place of `normalise`. */
  readonly weights?: (scores: Numbers, sizes: Sizes, parameters: readonly Numbers[]) => Numbers;
  /** Its options do not depend on L and S, so that it can be decoded step by step. */
  readonly cached?: true;
}

export const tableSizes: Sizes = { B: 2, H: 4, G: 2, L: 5, S: 7, D: 3, Dv: 6 };

export function viaAttention(mechanism: AttentionMechanism): Mechanism {
  const { name, use, cost, paper, cached } = mechanism;
  return {
    ...{ name, use, cost, paper },
    agreement: (sizes) => ({
      inputs: inputShapes(mechanism, sizes),
      run: ([q, k, v, ...parameters]) =>
        attention(q as Tensor, k as Tensor, v as Tensor, mechanism.options(sizes, parameters)).out,
      formula: ([q, k, v, ...parameters]) =>
        mixValues(weightsOf(mechanism, sizes, [q as Numbers, k as Numbers, ...parameters]), v as Numbers, sizes),
    }),
    record: (backend) => checkRecord(mechanism, backend),
    peek: (backend) => checkPeek(mechanism, backend),
    cache: cached && ((backend) => checkCache(mechanism, backend)),
  };
}

function inputShapes({ parameters }: AttentionMechanism, sizes: Sizes): readonly (readonly number[])[] {
  const { B, H, G, L, S, D, Dv } = sizes;
  return [[B, H, L, D], [B, G, S, D], [B, G, S, Dv], ...(parameters?.(sizes) ?? [])];
}

/** Weights [B, H, L, S] by the paper, from q, k and the parameters. */
function weightsOf(mechanism: AttentionMechanism, sizes: Sizes, [q, k, ...parameters]: readonly Numbers[]): Numbers {
  const { score = (value: number) => value, normalise = softmaxRow } = mechanism;
  const scores = Float64Array.from({ length: sizeOf(scoreShape(sizes)) }, (_, at) => {
    const pair = pairAt(at, sizes);
    return score(product(q as Numbers, k as Numbers, pair, sizes), pair, sizes, parameters);
  });
  if (mechanism.weights) return mechanism.weights(scores, sizes, parameters);
  return byRow(scores, sizes.S, normalise);
}

/** Applies `change` to every row of `width` numbers. */
export function byRow(
  values: Numbers,
  width: number,
  change: (row: readonly number[]) => readonly number[],
): readonly number[] {
  return Array.from({ length: values.length / width }, (_, row) =>
    change(Array.from(values.slice(row * width, (row + 1) * width))),
  ).flat();
}

export function softmaxRow(row: readonly number[]): readonly number[] {
  const largest = Math.max(...row);
  if (largest === -Infinity) return row.map(() => 0);
  const powers = row.map((value) => Math.exp(value - largest));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
}

function scoreShape({ B, H, L, S }: Sizes): readonly number[] {
  return [B, H, L, S];
}

function pairAt(at: number, { H, L, S }: Sizes): Pair {
  return {
    b: Math.floor(at / (H * L * S)),
    h: Math.floor(at / (L * S)) % H,
    i: Math.floor(at / S) % L,
    j: at % S,
  };
}

function product(q: Numbers, k: Numbers, { b, h, i, j }: Pair, { H, G, L, S, D }: Sizes): number {
  const [row, key] = [((b * H + h) * L + i) * D, ((b * G + Math.floor(h / (H / G))) * S + j) * D];
  let total = 0;
  for (let d = 0; d < D; d++) total += (q[row + d] as number) * (k[key + d] as number);
  return total / Math.sqrt(D);
}

/** `Σ_j w_ij·v_j` [B, H, L, Dv]. */
function mixValues(weights: Numbers, v: Numbers, sizes: Sizes): Numbers {
  const { B, H, G, L, S, Dv } = sizes;
  const out = new Float64Array(B * H * L * Dv);
  for (let at = 0; at < weights.length; at++) {
    const { b, h, i, j } = pairAt(at, sizes);
    const value = ((b * G + Math.floor(h / (H / G))) * S + j) * Dv;
    for (let d = 0; d < Dv; d++)
      (out[((b * H + h) * L + i) * Dv + d] as number) += (weights[at] as number) * (v[value + d] as number);
  }
  return out;
}

/** A call at the sizes of the table: its tensors, its options, and its weights by the paper. */
function tableCall(mechanism: AttentionMechanism, backend: Backend) {
  const shapes = inputShapes(mechanism, tableSizes);
  const values = shapes.map((shape, at) => normals(sizeOf(shape), at + 1));
  const [q, k, v, ...parameters] = values.map((value, at) =>
    tensor(value, shapes[at] as readonly number[], { backend, dtype: 'f32' }),
  ) as [Tensor, Tensor, Tensor, ...Tensor[]];
  const [plainQ, plainK, , ...plain] = values as [Numbers, Numbers, Numbers, ...Numbers[]];
  const weights = weightsOf(mechanism, tableSizes, [plainQ, plainK, ...plain]);
  return { q, k, v, options: mechanism.options(tableSizes, parameters), weights };
}

/** The record's statistics and rows are those of the final weights, and recording changes no bit. */
function checkRecord(mechanism: AttentionMechanism, backend: Backend): void {
  const { L, S } = tableSizes;
  const { q, k, v, options, weights } = tableCall(mechanism, backend);
  const recorded = attention(q, k, v, { ...options, record: { rows: 'all', received: true, topK: 1 } });
  expect(recorded.out.toArray()).toEqual(attention(q, k, v, options).out.toArray());
  const { statistics, weights: rows, received, top } = recorded.record.read();
  expectClose(rows?.values ?? [], weights, 1e-6, 'weights of rows');
  const byHead = byRow(weights, L * S, (head) =>
    Array.from({ length: S }, (_, j) => head.reduce((sum, weight, at) => sum + (at % S === j ? weight : 0), 0)),
  );
  expectClose(received ?? [], byHead, 1e-5, 'received');
  const each = (of: (row: readonly number[], at: number) => number): readonly number[] =>
    Array.from({ length: weights.length / S }, (_, at) => of(Array.from(weights.slice(at * S, at * S + S)), at));
  expectClose(statistics.pMax, each((row) => Math.max(...row)), 1e-5, 'pMax'); // biome-ignore format: a line each
  expectClose(top?.weights ?? [], each((row) => Math.max(0, ...row)), 1e-5, 'largest weight'); // biome-ignore format: a line each
  expectClose(statistics.entropyNats, each(options.sinks ? keysEntropy : entropy), 1e-5, 'entropyNats');
  expectClose(statistics.selfMass, each((row, at) => row[at % L] as number), 1e-5, 'selfMass'); // biome-ignore format: a line each
  expectClose(statistics.squareSum, each((row) => row.reduce((sum, p) => sum + p * p, 0)), 1e-5, 'squareSum'); // biome-ignore format: a line each
}

/** Beside a sink: the part of the entropy that the keys contribute (decision 52). */
function keysEntropy(row: readonly number[]): number {
  return row.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
}

/** Of the shares |p| / Σ |p|, which are p itself for a distribution. */
function entropy(row: readonly number[]): number {
  const sizes = row.map(Math.abs);
  const total = sizes.reduce((a, b) => a + b);
  return sizes.reduce((sum, p) => sum - (p > 0 ? (p / total) * Math.log(p / total) : 0), 0);
}

/** A tile of one head, recomputed afterwards, is the paper's. */
function checkPeek(mechanism: AttentionMechanism, backend: Backend): void {
  const { H, L, S } = tableSizes;
  const { q, k, v, options, weights } = tableCall(mechanism, backend);
  const { lse } = attention(q, k, v, options);
  const selection = { head: 2, rows: { start: 1, end: 4 }, columns: { start: 0, end: S } };
  const seen = peek({ q, k, lse, ...options }, selection);
  const wanted = [0, 1].flatMap((b) => {
    const start = (b * H + 2) * L * S;
    return Array.from(weights.slice(start + S, start + 4 * S));
  });
  expectClose(seen.toArray(), wanted, 1e-6, 'tile');
}

/** One and several tokens at a time give what the whole sequence gives, to N1. */
function checkCache(mechanism: AttentionMechanism, backend: Backend): void {
  const L = 9;
  const sizes = { ...tableSizes, L, S: L };
  noGrad(() =>
    scope(() => {
      const [q, k, v, ...parameters] = inputShapes(mechanism, sizes).map((shape, at) =>
        tensor(normals(sizeOf(shape), at + 1), shape, { backend, dtype: 'f32' }),
      ) as [Tensor, Tensor, Tensor, ...Tensor[]];
      const given = mechanism.options(sizes, parameters);
      const options = { ...given, mask: given.mask ? and(causal(), given.mask) : causal() };
      const whole = attention(q, k, v, options).out;
      using cache = new KeyValueCache();
      for (const [start, end] of [
        [0, 4],
        [4, 5],
        [5, 6],
        [6, 9],
      ] as const) {
        // biome-ignore format: a list of steps
        const part = (x: Tensor): Tensor => slice(x, 2, start, end);
        const { out } = attention(part(q), part(k), part(v), { ...options, cache });
        expectClose(out.toArray(), part(whole).toArray(), 1e-5, `positions ${start} to ${end}`);
      }
    }),
  );
}
