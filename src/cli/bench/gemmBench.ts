/** One case of matmul: checked on a few rows, then timed. */

import type { Backend } from '../../backend/contract.js';
import { createReferenceBackend } from '../../backend/reference/createReferenceBackend.js';
import { tensor, zeros } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';
import { slice, transpose } from '../../tensor/views.js';
import type { GemmCase } from './cases.js';
import { expectClose } from './expectClose.js';
import { type Machine, ratioOf } from './machine.js';
import type { Prepared } from './prepared.js';
import { type Samples, type Timing, timingOf } from './timing.js';
import { normalValues } from './values.js';

/** What a case of matmul came to. Null where the machine's limit is unknown. */
export interface GemmFigures extends GemmCase, Machine, Timing {
  readonly kind: 'gemm';
  readonly pass: 'forward';
  readonly gflops: number;
  readonly peakRatio: number | null;
}

const reference = createReferenceBackend();

/** Throws StateError when a result is wrong. */
export function prepareGemm(backend: Backend, it: GemmCase): Prepared<GemmFigures> {
  const { M, N, K } = it.shape;
  const a = matrix(backend, M, K, it.transposed === 'a', 1);
  const b = matrix(backend, K, N, it.transposed === 'b', 2);
  const out = zeros([1, 1, M, N], { backend });
  multiply(out, a, b);
  check(out, a, b);
  return { works: [() => multiply(out, a, b)], figures: (machine, samples) => figuresOf(it, machine, samples) };
}

function figuresOf(it: GemmCase, machine: Machine, [own = []]: readonly Samples[]): GemmFigures {
  const { M, N, K } = it.shape;
  const timing = timingOf(own);
  const gflops = (2 * M * N * K) / timing.medianMs / 1e6;
  const peakRatio = ratioOf(gflops, machine.peakGflops);
  return { kind: 'gemm', pass: 'forward', ...it, ...machine, gflops, peakRatio, ...timing };
}

/** [1, 1, rows, columns], stored as it is or transposed. */
function matrix(backend: Backend, rows: number, columns: number, transposed: boolean, seed: number): Tensor {
  const values = normalValues(rows * columns, seed);
  if (!transposed) return tensor(values, [1, 1, rows, columns], { backend });
  return transpose(tensor(values, [1, 1, columns, rows], { backend }));
}

function multiply(out: Tensor, a: Tensor, b: Tensor): void {
  out.backend.run('matmul_f32', { out, a, b }, { alpha: 1, activation: 0 });
}

/** Recomputes the first and the last row. */
function check(out: Tensor, a: Tensor, b: Tensor): void {
  const [, , M, N] = out.shape as [number, number, number, number];
  const moved = (x: Tensor): Tensor => tensor(x.toArray(), x.shape, { backend: reference });
  for (const row of new Set([0, M - 1])) {
    const truth = zeros([1, 1, 1, N], { backend: reference });
    multiply(truth, moved(slice(a, 2, row, row + 1)), moved(b));
    expectClose(`matmul: row ${row}`, slice(out, 2, row, row + 1), truth);
  }
}
