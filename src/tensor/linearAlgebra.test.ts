import { beforeEach, describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { ShapeError } from '../core/errors.js';
import { expand, linear, matmul, ones, reshape, setBackend, slice, type Tensor, tensor, transpose } from './index.js';

beforeEach(() => setBackend(createReferenceBackend({ precision: 'f64' })));

const wave = (...shape: number[]): Tensor =>
  tensor(
    Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => Math.sin(at * 1.7)),
    shape,
  );

/** Element by element, with both operands expanded to full batches. */
function naive(a: Tensor, b: Tensor, batch: readonly number[]): number[] {
  const [M, K] = a.shape.slice(-2) as [number, number];
  const N = b.shape.at(-1) as number;
  const full = (x: Tensor, rows: number, columns: number) => expand(x, [...batch, rows, columns]).toArray();
  const [x, y] = [full(a, M, K), full(b, K, N)];
  const out: number[] = [];
  for (let at = 0; at < batch.reduce((p, q) => p * q, 1); at++) {
    for (let m = 0; m < M; m++) {
      for (let n = 0; n < N; n++) {
        let total = 0;
        for (let k = 0; k < K; k++) total += (x[(at * M + m) * K + k] as number) * (y[(at * K + k) * N + n] as number);
        out.push(total);
      }
    }
  }
  return out;
}

function expectClose(got: Tensor, wanted: readonly number[]): void {
  expect(got.size).toBe(wanted.length);
  const values = got.toArray();
  wanted.forEach((value, at) => {
    expect(values[at]).toBeCloseTo(value, 12);
  });
}

describe('matmul', () => {
  test.each([
    { a: [3, 4], b: [4, 5], batch: [] },
    { a: [1, 1], b: [1, 1], batch: [] },
    { a: [2, 3, 4], b: [4, 5], batch: [2] },
    { a: [3, 4], b: [2, 4, 5], batch: [2] },
    { a: [2, 1, 3, 4], b: [3, 4, 5], batch: [2, 3] },
    { a: [2, 2, 3, 1], b: [2, 2, 1, 2], batch: [2, 2] },
    { a: [2, 0, 3], b: [3, 2], batch: [2] },
  ])('$a · $b', ({ a, b, batch }) => {
    const [x, y] = [wave(...a), wave(...b)];
    const out = matmul(x, y);
    expect(out.shape).toEqual([...batch, a.at(-2), b.at(-1)]);
    expectClose(out, naive(x, y, batch));
  });

  test('strided operands, with rows that do not fold', () => {
    const a = transpose(wave(4, 3, 2), 0, 1); // [3, 4, 2]
    const b = transpose(wave(5, 2)); // [2, 5]
    expectClose(matmul(a, b), naive(a, b, [3]));
    const c = slice(wave(3, 6, 2), 1, 1, 5);
    expectClose(matmul(c, b), naive(c, b, [3]));
  });

  test('K = 0 gives zeros', () => {
    expectClose(matmul(wave(2, 0), wave(0, 3)), [0, 0, 0, 0, 0, 0]);
  });

  test('errors name the letter', () => {
    expect(() => matmul(ones([2, 3, 64]), ones([2, 32, 5]))).toThrow(
      'matmul: expected b [*, K, N] = [*, 64, *] to match a [2, 3, 64], got [2, 32, 5]; K differs',
    );
    expect(() => matmul(ones([3]), ones([3, 2]))).toThrow('matmul: expected a of rank 2 to 4, got shape [3]');
    expect(() => matmul(ones([2, 1, 3]), ones([3, 3, 1]))).toThrow(/^matmul: expected b to broadcast with a/);
  });
});

describe('linear', () => {
  test('x · weightᵀ + bias over all leading axes', () => {
    const [x, weight, bias] = [wave(2, 3, 4), wave(5, 4), wave(5)];
    const out = linear(x, weight, bias);
    expect(out.shape).toEqual([2, 3, 5]);
    const product = naive(reshape(x, [6, 4]), transpose(weight), []);
    const shift = bias.toArray();
    expectClose(
      out,
      product.map((value, at) => value + (shift[at % 5] as number)),
    );
    expect(linear(wave(4), weight).shape).toEqual([5]);
  });

  test('errors', () => {
    expect(() => linear(ones([2, 3]), ones([4, 5]))).toThrow(
      'linear: expected weight [out, in] = [*, 3] to match x [2, 3], got [4, 5]',
    );
    expect(() => linear(ones([2, 3]), ones([4, 3]), ones([3]))).toThrow(ShapeError);
  });
});
