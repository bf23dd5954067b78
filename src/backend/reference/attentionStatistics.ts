/**
 * The statistics of one query row, from its allowed keys and their scores. Formulas: contract.ts. What adds up over rows is
 * in attentionReceived.ts.
 */

import { statistics as statisticNames } from '../../core/statistics.generated.js';
import type { Scalars } from '../contract.js';
import type { AttentionRow } from './attentionRow.js';
import type { ReferenceOperands } from './kernel.js';
import { maximumOf } from './vector.js';

type Operands = ReferenceOperands<'attention_forward_f32'>;
type Options = Pick<Scalars<'attention_forward_f32'>, 'offset' | 'window'>;
type Statistics = Record<(typeof statisticNames)[number], number>;

/** Writes one row of `statistics` after the other, when they are asked for. */
export class StatisticsWriter {
  readonly #operands: Operands;
  readonly #options: Options;

  constructor(operands: Operands, options: Options) {
    this.#operands = operands;
    this.#options = options;
  }

  addRow(row: AttentionRow, lse: number, b: number, h: number, i: number): void {
    const { statistics, set } = this.#operands;
    if (!statistics) return;
    const chosen = (j: number): boolean => (set?.at(b, j) ?? 0) !== 0;
    const values = summarise(row, lse, i + this.#options.offset, this.#options.window, chosen);
    for (const [index, name] of statisticNames.entries())
      statistics.store(statistics.position(index, b, h, i), values[name]);
  }
}

/** `here` is the key at distance 0. Scores are taken relative to the maximum; with a sink the weights sum to less than 1. */
function summarise(
  row: AttentionRow,
  lse: number,
  here: number,
  window: number,
  chosen: (j: number) => boolean,
): Statistics {
  const result = Object.fromEntries(statisticNames.map((name) => [name, 0])) as Statistics;
  if (row.count === 0) return result;
  const maximum = maximumOf(row.scores, row.count);
  const logTotal = lse - maximum;
  let [lowest, mass, mean, square] = [maximum, 0, 0, 0];
  for (let n = 0; n < row.count; n++) {
    const [j, x] = [row.key(n), row.score(n) - maximum];
    const p = Math.exp(x - logTotal);
    lowest = Math.min(lowest, row.score(n));
    if (p > 0) {
      result.entropyNats += p * (logTotal - x);
      mass += p;
      mean += p * x;
      square += p * x * x;
    }
    result.squareSum += p * p;
    addMasses(result, p, j, here - j, window, chosen(j));
  }
  const shifted = mean - maximum * (1 - mass); // Σ p·s - maximum
  return {
    ...{ ...result, keys: row.count, logitMax: maximum, logitMin: lowest, pMax: Math.exp(-logTotal) },
    ...{ logitMean: maximum + shifted, logitVariance: square - 2 * shifted * mean + shifted * shifted * mass },
  };
}

/** `distance` is i + offset - j. */
function addMasses(sums: Statistics, p: number, j: number, distance: number, window: number, chosen: boolean): void {
  sums.meanDistance += p * Math.abs(distance);
  if (Math.abs(distance) <= window) sums.windowMass += p;
  if (distance < 0) sums.futureMass += p;
  if (chosen) sums.setMass += p;
  if (j === 0) sums.firstMass = p;
  if (distance === 0) sums.selfMass = p;
  if (distance === 1) sums.previousMass = p;
  if (distance === -1) sums.nextMass = p;
}
