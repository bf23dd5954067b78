/**
 * Cross-entropy of rows of logits against target indices, with label smoothing. Rows whose target is `ignore` give
 * loss 0 and gradient 0 whatever they hold.
 */

import { checkIndices, type ReferenceKernel } from './kernel.js';
import { logSumExp } from './vector.js';

function mean(row: Float64Array): number {
  let sum = 0;
  for (const value of row) sum += value;
  return sum / row.length;
}

/** `loss = lse - (1-ε)·x[target] - ε·mean(x)`, ε = smoothing */
export const crossEntropy: ReferenceKernel<'cross_entropy_f32'> = (
  { loss, lse, logits, target },
  { smoothing, ignore },
) => {
  const [M, V] = logits.shape as [number, number];
  checkIndices('cross_entropy_f32', target, V, ignore);
  const row = new Float64Array(V);
  for (let m = 0; m < M; m++) {
    const total = logSumExp(logits.readRow(logits.position(m), row));
    const index = target.at(m);
    const hit = (1 - smoothing) * (row[index] as number);
    const spread = smoothing === 0 ? 0 : smoothing * mean(row); // 0 · -Infinity would be NaN
    lse.store(lse.position(m), total);
    loss.store(loss.position(m), index === ignore ? 0 : total - hit - spread);
  }
};

/** `dx = dloss·(e^(x - lse) - (1-ε)·[target] - ε/V)` */
export const crossEntropyBackward: ReferenceKernel<'cross_entropy_backward_f32'> = (
  { dlogits, logits, lse, target, dloss },
  { smoothing, ignore },
) => {
  const [M, V] = logits.shape as [number, number];
  checkIndices('cross_entropy_backward_f32', target, V, ignore);
  for (let m = 0; m < M; m++) {
    const index = target.at(m);
    for (let n = 0; n < V; n++) {
      const p = Math.exp(logits.at(m, n) - lse.at(m));
      const wanted = (n === index ? 1 - smoothing : 0) + smoothing / V;
      dlogits.store(dlogits.position(m, n), index === ignore ? 0 : dloss.at(m) * (p - wanted));
    }
  }
};
