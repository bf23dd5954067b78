/**
 * Batched matrix product with its epilogue: `out = activation(alpha·a·b + bias) + residual`. One row of `out` is built
 * at a time, as a sum of rows of `b`.
 */

import { activations } from '../kernels.generated.js';
import { activationFunctions } from './functions.js';
import { chosen, type ReferenceKernel, type ReferenceOperands } from './kernel.js';
import { addScaled } from './vector.js';

type Operands = ReferenceOperands<'matmul_f32'>;

/** b[i, j] packed as float64, [K, N] */
function packMatrix(b: Operands['b'], i: number, j: number): Float64Array {
  const [K, N] = b.shape.slice(2) as [number, number];
  const packed = new Float64Array(K * N);
  for (let k = 0; k < K; k++) b.readRow(b.position(i, j, k), packed.subarray(k * N, (k + 1) * N));
  return packed;
}

export const matmul: ReferenceKernel<'matmul_f32'> = ({ out, a, b, bias, residual }, { alpha, activation }) => {
  const activate = chosen('matmul_f32', activations, activationFunctions, activation);
  const [A, B, M, K] = a.shape as [number, number, number, number];
  const sums = new Float64Array(out.shape[3] as number);
  for (let batch = 0; batch < A * B; batch++) {
    const [i, j] = [Math.floor(batch / B), batch % B];
    const matrix = packMatrix(b, i, j); // [K, N]
    for (let m = 0; m < M; m++) {
      sums.fill(0);
      for (let k = 0; k < K; k++) addScaled(sums, a.at(i, j, m, k), matrix, k * sums.length);
      for (let n = 0; n < sums.length; n++) {
        const value = activate(alpha * (sums[n] as number) + (bias?.at(n) ?? 0));
        out.store(out.position(i, j, m, n), value + (residual?.at(i, j, m, n) ?? 0));
      }
    }
  }
};
