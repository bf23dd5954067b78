/** N8: what only moves numbers moves their bits: embedding, transpose, slice, concat, cache append, on every backend. */

import { expect, it } from 'vitest';
import { KeyValueCache } from '../../src/attention/cache.js';
import type { Backend } from '../../src/backend/contract.js';
import { sizeOf } from '../../src/core/shape.js';
import { tensor } from '../../src/tensor/create.js';
import { embedding } from '../../src/tensor/indexing.js';
import { concat, split } from '../../src/tensor/join.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { contiguous, permute, slice, transpose } from '../../src/tensor/views.js';
import { forEachSubject } from '../conformance/suite.js';

/** Numbers that arithmetic would change: signed zeros, subnormals, infinities, NaN, the largest. */
const awkward = Float32Array.of(0, -0, 1e-45, -1e-45, 1.1e-38, Infinity, -Infinity, Number.NaN, 3.4028235e38, 0.1, -7);

function valuesOf(shape: readonly number[]): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, (_, index) => awkward[index % awkward.length] ?? 0);
}

function of(backend: Backend, ...shape: number[]): Tensor {
  return tensor(valuesOf(shape), shape, { backend });
}

/** The same bits; any NaN equals any other. */
function expectSame(got: Tensor, wanted: ArrayLike<number>): void {
  const mine = got.toArray();
  expect(mine.length).toBe(wanted.length);
  for (let index = 0; index < wanted.length; index++)
    if (!Object.is(mine[index], wanted[index]))
      throw new Error(`element ${index}: expected ${wanted[index]}, got ${mine[index]}`);
}

forEachSubject((backend) => {
  it('embedding, transpose, slice, concat and split', () => {
    const [M, N] = [37, 65];
    const x = of(backend, M, N);
    const values = valuesOf([M, N]);
    const at = (row: number, column: number): number => values[row * N + column] as number;
    const made = (rows: number, columns: number, value: (row: number, column: number) => number): Float32Array =>
      Float32Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns));

    const index = tensor([3, 0, 36, 3], [4], { dtype: 'i32', backend });
    expectSame(
      embedding(x, index),
      made(4, N, (row, column) => at([3, 0, 36, 3][row] as number, column)),
    );
    const transposed = made(N, M, (row, column) => at(column, row));
    expectSame(contiguous(transpose(x)), transposed);
    const part = slice(slice(x, 0, 2, 30), 1, 5, 22);
    const cut = made(28, 17, (row, column) => at(row + 2, column + 5));
    expectSame(contiguous(part), cut);
    expectSame(concat([part, part], 0), [...cut, ...cut]);
    const [left, right] = split(x, [20, 45], 1) as [Tensor, Tensor];
    expectSame(concat([left, right], 1), values);
  });

  it('cache append, one by one and many at a time, through its growth', () => {
    const [B, G, S, D] = [2, 2, 70, 9] as const;
    const k = of(backend, B, G, S, D);
    const v = permute(of(backend, B, S, G, D), [0, 2, 1, 3]);
    using cache = new KeyValueCache();
    for (let start = 0; start < S; start += start < 20 ? 1 : 25) {
      const end = Math.min(S, start + (start < 20 ? 1 : 25));
      cache.append(slice(k, 2, start, end), slice(v, 2, start, end));
    }
    expectSame(cache.held().k, valuesOf([B, G, S, D]));
    expectSame(cache.held().v, contiguous(v).toArray());
  });
});
