/**
 * Reductions over the middle axis of [M, K, N], and the sum of squares. No elements give sum 0, mean NaN, max -Infinity,
 * min Infinity and argmax 0.
 */

import { reduceOps } from '../kernels.generated.js';
import { chosen, type ReferenceKernel } from './kernel.js';

interface Reduction {
  readonly start: number;
  readonly join: (sum: number, a: number) => number;
}

const add = (sum: number, a: number): number => sum + a;

const reductions: Readonly<Record<(typeof reduceOps)[number], Reduction>> = {
  sum: { start: 0, join: add },
  mean: { start: 0, join: add },
  max: { start: -Infinity, join: Math.max },
  min: { start: Infinity, join: Math.min },
};

export const reduce: ReferenceKernel<'reduce_f32'> = ({ out, a }, { op }) => {
  const { start, join } = chosen('reduce_f32', reduceOps, reductions, op);
  const [M, K, N] = a.shape as [number, number, number];
  const divisor = reduceOps[op] === 'mean' ? K : 1;
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let value = start;
      for (let k = 0; k < K; k++) value = join(value, a.at(m, k, n));
      out.store(out.position(m, n), value / divisor);
    }
  }
};

/** Position of the largest element, the first of equals. NaN is never larger. */
export const argmax: ReferenceKernel<'argmax_f32'> = ({ out, a }) => {
  const [M, K, N] = a.shape as [number, number, number];
  for (let m = 0; m < M; m++) {
    for (let n = 0; n < N; n++) {
      let best = 0;
      for (let k = 1; k < K; k++) if (a.at(m, k, n) > a.at(m, best, n)) best = k;
      out.store(out.position(m, n), best);
    }
  }
};

export const squareSum: ReferenceKernel<'square_sum_f32'> = ({ out, a }) => {
  const N = a.shape[0] as number;
  let sum = 0;
  for (let n = 0; n < N; n++) sum += a.at(n) ** 2;
  out.store(out.position(0), sum);
};
