/**
 * The attention weights themselves, recomputed from q, k and `lse` for the rows and keys that the views show. Forbidden
 * cells are exactly 0.
 */

import { AttentionRow, forEachQuery } from './attentionRow.js';
import type { ReferenceKernel } from './kernel.js';

/** `p_ij = e^{s_ij - lse_i}` */
export const attentionWeights: ReferenceKernel<'attention_weights_f32'> = (operands, scalars) => {
  const { weights, lse } = operands;
  const row = new AttentionRow(operands, scalars);
  const p = new Float64Array(weights.shape[3] as number);
  forEachQuery(operands, (b, h, g, i) => {
    row.moveTo(b, h, g, i);
    p.fill(0);
    for (let n = 0; n < row.count; n++) p[row.key(n)] = Math.exp(row.score(n) - lse.at(b, h, i));
    weights.writeRow(weights.position(b, h, i), p);
  });
};
