/**
 * Softmax over the last axis and its gradient, either as probabilities or as logarithms. A row of -Infinity has nothing
 * to choose from: probabilities 0, logarithms -Infinity.
 */

import type { ReferenceKernel } from './kernel.js';
import { logSumExp } from './vector.js';

export const softmax: ReferenceKernel<'softmax_f32'> = ({ out, a }, { log }) => {
  const [M, N] = a.shape as [number, number];
  const row = new Float64Array(N);
  for (let m = 0; m < M; m++) {
    const lse = logSumExp(a.readRow(a.position(m), row));
    for (let n = 0; n < N; n++) {
      const logarithm = lse === -Infinity ? -Infinity : (row[n] as number) - lse;
      out.store(out.position(m, n), log ? logarithm : Math.exp(logarithm));
    }
  }
};

/**
 * With p the probabilities: `da = p·(dout - Σ p·dout)`, and for logarithms `da = dout - p·Σ dout`.
 * `out` is what the forward kernel returned.
 */
export const softmaxBackward: ReferenceKernel<'softmax_backward_f32'> = ({ da, out, dout }, { log }) => {
  const [M, N] = out.shape as [number, number];
  for (let m = 0; m < M; m++) {
    let sum = 0;
    for (let n = 0; n < N; n++) sum += log ? dout.at(m, n) : out.at(m, n) * dout.at(m, n);
    for (let n = 0; n < N; n++) {
      const [y, dy] = [out.at(m, n), dout.at(m, n)];
      da.store(da.position(m, n), log ? dy - Math.exp(y) * sum : y * (dy - sum));
    }
  }
};
