/**
 * Attention forward: out and lse of every query row, and the record: attentionStatistics.ts and attentionReceived.ts. The
 * row's keys and scores come from attentionRow.ts. Next: attentionBackward.ts.
 */

import type { Scalars } from '../contract.js';
import { WeightSums } from './attentionReceived.js';
import { ColumnSums } from './attentionRelative.js';
import { AttentionRow, forEachQuery } from './attentionRow.js';
import { StatisticsWriter } from './attentionStatistics.js';
import { dropoutRow } from './elementwise.js';
import type { ReferenceKernel, ReferenceOperands } from './kernel.js';
import { addScaled, logSumExp } from './vector.js';

type Operands = ReferenceOperands<'attention_forward_f32'>;
type Options = Scalars<'attention_forward_f32'>;

/** `lse_i = ln (Σ_j e^{s_ij} + e^{sink_h})`, `p_ij = e^{s_ij - lse_i}`, `out_i = Σ_j dropout(p_ij)·v_j` */
export const attentionForward: ReferenceKernel<'attention_forward_f32'> = (operands, scalars) => {
  const { out, lse, q, sinks, relativeMass } = operands;
  const [, H, L] = q.shape as [number, number, number, number];
  const row = new AttentionRow(operands, scalars);
  const mix = new ValueMixer(operands, scalars);
  const [statistics, sums] = [new StatisticsWriter(operands, scalars), new WeightSums(operands)];
  forEachQuery(operands, (b, h, g, i) => {
    row.moveTo(b, h, g, i);
    const total = row.count === 0 ? -Infinity : withSink(logSumExp(row.scores, row.count), sinks?.at(h));
    lse.store(lse.position(b, h, i), total);
    out.writeRow(out.position(b, h, i), mix.values(row, total, b, g, (b * H + h) * L + i));
    if (relativeMass) mix.mass.write(b, h, i);
    statistics.addRow(row, total, b, h, i);
    sums.addRow(row, total, b, h, i);
  });
  sums.finish();
};

/** ln (e^lse + e^sink) */
function withSink(lse: number, sink = -Infinity): number {
  const largest = Math.max(lse, sink);
  return Number.isFinite(largest) ? largest + Math.log1p(Math.exp(-Math.abs(lse - sink))) : largest;
}

/** Σ_j dropout(p_ij)·v_j and the weights' sums by column of `relative`, reusing its memory from row to row. */
class ValueMixer {
  readonly #v: Operands['v'];
  readonly #options: Options;
  readonly #value: Float64Array;
  readonly #sum: Float64Array;
  /** Dropped weights of the last row by column. */
  readonly mass: ColumnSums;

  constructor({ v, relativeMass }: Operands, options: Options) {
    this.mass = new ColumnSums(relativeMass, options);
    this.#v = v;
    this.#options = options;
    this.#value = new Float64Array(v.shape[3] as number);
    this.#sum = new Float64Array(v.shape[3] as number);
  }

  values(row: AttentionRow, lse: number, b: number, g: number, dropoutIndex: number): Float64Array {
    const { dropoutRate, seed, stream } = this.#options;
    const { keep, growth } = dropoutRow(dropoutRate, seed, stream, dropoutIndex);
    this.#sum.fill(0);
    this.mass.moveTo(row.position);
    for (let n = 0; n < row.count; n++) {
      const j = row.key(n);
      if (dropoutRate > 0 && !keep(j)) continue;
      const p = Math.exp(row.score(n) - lse);
      this.mass.add(j, p * growth);
      addScaled(this.#sum, p * growth, this.#v.readRow(this.#v.position(b, g, j), this.#value));
    }
    return this.#sum;
  }
}
