/**
 * The transposed attention weights times a matrix r, recomputed row by row from `lse`: what every key receives. Scratch
 * is O(S·C) for one head.
 */

import { AttentionRow, forEachQuery } from './attentionRow.js';
import type { ReferenceKernel } from './kernel.js';
import { scatterScaled } from './vector.js';

/** `out_jc = Σ_i p_ij·r_ic` with `p_ij = e^{s_ij - lse_i}` */
export const attentionTransposed: ReferenceKernel<'attention_transposed_f32'> = (operands, scalars) => {
  const { out, r, lse, q, k } = operands;
  const [, , L, C] = r.shape as [number, number, number, number];
  const S = k.shape[2] as number;
  const row = new AttentionRow(operands, scalars);
  const [factors, sums] = [new Float64Array(C), new Float64Array(S * C)];
  const writeHead = (b: number, h: number): void => {
    for (let j = 0; j < S; j++) out.writeRow(out.position(b, h, j), sums.subarray(j * C, (j + 1) * C));
    sums.fill(0);
  };
  forEachQuery(operands, (b, h, g, i) => {
    row.moveTo(b, h, g, i);
    r.readRow(r.position(b, h, i), factors);
    for (let n = 0; n < row.count; n++)
      scatterScaled(sums, row.key(n) * C, Math.exp(row.score(n) - lse.at(b, h, i)), factors);
    if (i === L - 1) writeHead(b, h);
  });
  if (L > 0) return;
  const [B, H] = q.shape as [number, number];
  for (let b = 0; b < B; b++) for (let h = 0; h < H; h++) writeHead(b, h);
};
