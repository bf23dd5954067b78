/**
 * Attention forward: out, lse and the statistics of every query row. The row's keys and scores come from
 * attentionRow.ts. Next: attentionBackward.ts.
 */

import { statistics as statisticNames } from '../../core/statistics.generated.js';
import type { Scalars } from '../contract.js';
import { AttentionRow, forEachQuery } from './attentionRow.js';
import { dropoutRow } from './elementwise.js';
import type { ReferenceKernel, ReferenceOperands } from './kernel.js';
import { addScaled, logSumExp, maximumOf } from './vector.js';

type Operands = ReferenceOperands<'attention_forward_f32'>;
type Options = Scalars<'attention_forward_f32'>;
type Statistics = Record<(typeof statisticNames)[number], number>;

/** `lse_i = ln Σ_j e^{s_ij}`, `p_ij = e^{s_ij - lse_i}`, `out_i = Σ_j dropout(p_ij)·v_j` */
export const attentionForward: ReferenceKernel<'attention_forward_f32'> = (operands, scalars) => {
  const { out, lse, statistics, q, v } = operands;
  const [, H, L] = q.shape as [number, number, number, number];
  const row = new AttentionRow(operands, scalars);
  const mix = new ValueMixer(v, scalars);
  forEachQuery(operands, (b, h, g, i) => {
    row.moveTo(b, h, g, i);
    const total = logSumExp(row.scores, row.count);
    lse.store(lse.position(b, h, i), total);
    out.writeRow(out.position(b, h, i), mix.values(row, total, b, g, (b * H + h) * L + i));
    if (statistics) writeStatistics(statistics, summarise(row, i + scalars.offset), b, h, i);
  });
};

/** Σ_j dropout(p_ij)·v_j, reusing its memory from row to row. */
class ValueMixer {
  readonly #v: Operands['v'];
  readonly #options: Options;
  readonly #value: Float64Array;
  readonly #sum: Float64Array;

  constructor(v: Operands['v'], options: Options) {
    this.#v = v;
    this.#options = options;
    this.#value = new Float64Array(v.shape[3] as number);
    this.#sum = new Float64Array(v.shape[3] as number);
  }

  values(row: AttentionRow, lse: number, b: number, g: number, dropoutIndex: number): Float64Array {
    const { dropoutRate, seed, stream } = this.#options;
    const { keep, growth } = dropoutRow(dropoutRate, seed, stream, dropoutIndex);
    this.#sum.fill(0);
    for (let n = 0; n < row.count; n++) {
      const j = row.key(n);
      if (dropoutRate > 0 && !keep(j)) continue;
      const p = Math.exp(row.score(n) - lse);
      addScaled(this.#sum, p * growth, this.#v.readRow(this.#v.position(b, g, j), this.#value));
    }
    return this.#sum;
  }
}

/** The statistics of one row; `centre` is the key at distance 0. Sums are shifted by the maximum (diagnostics.md). */
function summarise(row: AttentionRow, centre: number): Statistics {
  const result = Object.fromEntries(statisticNames.map((name) => [name, 0])) as Statistics;
  if (row.count === 0) return result;
  const maximum = maximumOf(row.scores, row.count);
  let total = 0;
  for (let n = 0; n < row.count; n++) total += Math.exp(row.score(n) - maximum);
  for (let n = 0; n < row.count; n++) {
    const [j, x] = [row.key(n), row.score(n) - maximum];
    const p = Math.exp(x) / total;
    result.entropyNats += p === 0 ? 0 : p * (Math.log(total) - x);
    result.squareSum += p * p;
    result.meanDistance += p * Math.abs(centre - j);
    if (j === 0) result.firstMass = p;
    if (j === centre) result.selfMass = p;
    if (j === centre - 1) result.previousMass = p;
    if (j === centre + 1) result.nextMass = p;
  }
  return { ...result, keys: row.count, logitMax: maximum, pMax: 1 / total };
}

function writeStatistics(
  target: NonNullable<Operands['statistics']>,
  values: Statistics,
  b: number,
  h: number,
  i: number,
): void {
  for (const [index, name] of statisticNames.entries()) target.store(target.position(index, b, h, i), values[name]);
}
