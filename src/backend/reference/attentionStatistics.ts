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

  addRow(row: AttentionRow, b: number, h: number, i: number): void {
    const { statistics, set } = this.#operands;
    if (!statistics) return;
    const chosen = (j: number): boolean => (set?.at(b, j) ?? 0) !== 0;
    const values = summarise(row, i + this.#options.offset, this.#options.window, chosen);
    for (const [index, name] of statisticNames.entries())
      statistics.store(statistics.position(index, b, h, i), values[name]);
  }
}

/** `here` is the key at distance 0. Sums are shifted by the maximum (diagnostics.md, §1). */
function summarise(row: AttentionRow, here: number, window: number, chosen: (j: number) => boolean): Statistics {
  const result = Object.fromEntries(statisticNames.map((name) => [name, 0])) as Statistics;
  if (row.count === 0) return result;
  const maximum = maximumOf(row.scores, row.count);
  let total = 0;
  let lowest = maximum;
  for (let n = 0; n < row.count; n++) {
    total += Math.exp(row.score(n) - maximum);
    lowest = Math.min(lowest, row.score(n));
  }
  let [mean, square] = [0, 0];
  for (let n = 0; n < row.count; n++) {
    const [j, x] = [row.key(n), row.score(n) - maximum];
    const p = Math.exp(x) / total;
    if (p > 0) {
      result.entropyNats += p * (Math.log(total) - x);
      mean += p * x;
      square += p * x * x;
    }
    result.squareSum += p * p;
    addMasses(result, p, j, here - j, window, chosen(j));
  }
  return {
    ...{ ...result, keys: row.count, logitMax: maximum, logitMin: lowest, pMax: 1 / total },
    ...{ logitMean: maximum + mean, logitVariance: square - mean * mean },
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
