/**
 * The record of explicit attention: the same names as the fused kernel's, worked out from the final weights in plain
 * float64 arithmetic. Nothing here carries gradients; a loss takes the weights themselves. Formulas:
 * ../backend/contract.ts. Next: recording.ts, which reads it.
 */

import { type StatisticName, statisticNames } from '../core/records.js';
import { tensor } from '../tensor/create.js';
import { concat } from '../tensor/join.js';
import { sum } from '../tensor/reduce.js';
import type { Tensor } from '../tensor/tensor.js';
import { slice } from '../tensor/views.js';
import type { AttentionSizes } from './operands.js';
import type { RecordOptions } from './options.js';
import { Recording } from './recording.js';
import { recordOperands } from './recordOperands.js';

/** One finished call on the explicit path. */
export interface ExplicitCall {
  readonly sizes: AttentionSizes;
  /** [B, H, L, S]; -Infinity where forbidden. */
  readonly scores: Tensor;
  /** [B, H, L, S], before dropout. */
  readonly weights: Tensor;
  /** [B, H, L] */
  readonly lse: Tensor;
  readonly offset: number;
}

/** A row of the call: its weights, its scores, its position on the key axis, and the keys of the set. */
interface Row {
  readonly p: ArrayLike<number>;
  readonly s: ArrayLike<number>;
  readonly position: number;
  readonly inSet: (key: number) => boolean;
  readonly window: number;
}

/**
 * Records the final weights. Where they do not sum to 1 (sigmoid) or are negative (talking heads), entropy and means are
 * those of the shares `|p_j| / Σ |p|`; masses, `pMax` and `squareSum` are of the weights themselves.
 */
export function recordWeights(call: ExplicitCall, options: RecordOptions): Recording {
  const { B, H, L, S } = call.sizes;
  const like = { backend: call.weights.backend, dtype: 'f32' } as const;
  const [weights, scores] = [call.weights.toArray(), call.scores.toArray()];
  const { set, window } = recordOperands(call.sizes, options);
  const chosen = set?.toArray();
  const rows = Array.from({ length: B * H * L }, (_, at): Row => {
    const b = Math.floor(at / (H * L));
    const cut = (values: ArrayLike<number> & { subarray(start: number, end: number): ArrayLike<number> }) =>
      values.subarray(at * S, (at + 1) * S);
    const inSet = (j: number): boolean => chosen !== undefined && chosen[b * S + j] !== 0;
    return { p: cut(weights), s: cut(scores), position: (at % L) + call.offset, inSet, window };
  });
  const measured = rows.map(statisticsOf);
  const perRow = (value: (at: number) => number): Tensor =>
    tensor(
      rows.map((_, at) => value(at)),
      [B, H, L],
      like,
    );
  const top = options.topK === undefined ? [] : rows.map(({ p }) => largest(p, options.topK as number));
  const topTensor = (pick: (entry: Entry) => number, dtype: 'f32' | 'i32'): Tensor =>
    tensor(top.flat().map(pick), [B, H, L, options.topK as number], { ...like, dtype });
  const recorded = {
    statistics: statisticNames.map((name) => perRow((at) => (measured[at] as Statistics)[name])),
    received: options.received && sum(call.weights, 2),
    tiles: options.tiles === undefined ? undefined : pooledTiles(call, rows, options.tiles),
    topWeights: options.topK === undefined ? undefined : topTensor(({ weight }) => weight, 'f32'),
    topKeys: options.topK === undefined ? undefined : topTensor(({ key }) => key, 'i32'),
    zeroKeys: options.zeroKeys && perRow((at) => zeroKeys(rows[at] as Row)),
  };
  const kept = options.rows === 'all' ? Array.from({ length: L }, (_, i) => i) : options.rows;
  return new Recording(call.sizes, call.lse, recorded, kept && { rows: kept, weights: chosenRows(call.weights, kept) });
}

function chosenRows(weights: Tensor, rows: readonly number[]): Tensor {
  return concat(
    rows.map((row) => slice(weights, 2, row, row + 1)),
    2,
  );
}

type Statistics = Readonly<Record<StatisticName, number>>;

function statisticsOf({ p, s, position, inSet, window }: Row): Statistics {
  const keys = allowedKeys(s);
  const of = (key: number): number => p[key] ?? 0;
  const total = (value: (key: number) => number): number => keys.reduce((sum, key) => sum + value(key), 0);
  const mass = (belongs: (key: number) => boolean): number => total((key) => (belongs(key) ? of(key) : 0));
  const all = total((key) => Math.abs(of(key)));
  const share = (key: number): number => (all > 0 ? Math.abs(of(key)) / all : 0);
  const scores = keys.map((key) => s[key] as number);
  const logitMean = total((key) => (share(key) > 0 ? share(key) * (s[key] as number) : 0));
  const logitVariance = total((key) => (share(key) > 0 ? share(key) * ((s[key] as number) - logitMean) ** 2 : 0));
  return {
    keys: keys.length,
    logitMax: keys.length === 0 ? 0 : scores.reduce((a, b) => Math.max(a, b)),
    logitMin: keys.length === 0 ? 0 : scores.reduce((a, b) => Math.min(a, b)),
    logitMean,
    logitVariance,
    pMax: keys.length === 0 ? 0 : keys.map(of).reduce((a, b) => Math.max(a, b)),
    entropyNats: total((key) => (share(key) > 0 ? -share(key) * Math.log(share(key)) : 0)),
    squareSum: total((key) => of(key) ** 2),
    meanDistance: total((key) => share(key) * Math.abs(position - key)),
    windowMass: mass((key) => Math.abs(position - key) <= window),
    futureMass: mass((key) => key > position),
    setMass: mass(inSet),
    firstMass: of(0),
    selfMass: of(position),
    previousMass: of(position - 1),
    nextMass: of(position + 1),
  };
}

function allowedKeys(scores: ArrayLike<number>): readonly number[] {
  return Array.from({ length: scores.length }, (_, key) => key).filter((key) => scores[key] !== -Infinity);
}

function zeroKeys({ p, s }: Row): number {
  return allowedKeys(s).filter((key) => (p[key] as number) < 1e-6).length;
}

interface Entry {
  readonly weight: number;
  readonly key: number;
}

/** The `count` largest weights above 0 in descending order, filled up with weight 0 and key -1. */
function largest(p: ArrayLike<number>, count: number): readonly Entry[] {
  const entries = Array.from(p, (weight, key) => ({ weight, key })).filter(({ weight }) => weight > 0);
  const sorted = entries.sort((a, b) => b.weight - a.weight || a.key - b.key).slice(0, count);
  return [...sorted, ...Array.from({ length: count - sorted.length }, () => ({ weight: 0, key: -1 }))];
}

/** Mean, over the rows with keys in a bin of queries, of the mass on a bin of keys: [B, H, bins, bins]. */
function pooledTiles({ sizes: { B, H, L, S }, weights }: ExplicitCall, rows: readonly Row[], bins: number): Tensor {
  const values = new Float64Array(B * H * bins * bins);
  const counts = new Float64Array(B * H * bins);
  rows.forEach(({ p, s }, at) => {
    if (allowedKeys(s).length === 0) return;
    const bin = Math.floor(at / L) * bins + Math.floor(((at % L) * bins) / L);
    (counts[bin] as number) += 1;
    Array.from(p).forEach((weight, key) => {
      (values[bin * bins + Math.floor((key * bins) / S)] as number) += weight;
    });
  });
  const means = values.map((value, at) => value / Math.max(1, counts[Math.floor(at / bins)] as number));
  return tensor(means, [B, H, bins, bins], { backend: weights.backend, dtype: 'f32' });
}
