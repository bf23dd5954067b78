import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { ShapeError } from '../core/errors.js';
import {
  contiguous,
  expand,
  permute,
  reshape,
  select,
  setBackend,
  slice,
  squeeze,
  type Tensor,
  tensor,
  transpose,
  unsqueeze,
} from './index.js';

beforeEach(() => setBackend(createReferenceBackend()));

const counting = (...shape: number[]): Tensor =>
  tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, at) => at),
    shape,
  );
const values = (x: Tensor): number[] => Array.from(x.toArray());
const sharesMemory = (a: Tensor, b: Tensor): boolean => a.buffer === b.buffer;

describe('views share memory', () => {
  test('transpose, permute, slice, select, expand, unsqueeze, squeeze', () => {
    const x = counting(2, 3);
    expect(values(transpose(x))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(values(permute(counting(2, 1, 3), [2, 0, 1]))).toEqual([0, 3, 1, 4, 2, 5]);
    expect(values(slice(x, -1, 1, 3))).toEqual([1, 2, 4, 5]);
    expect(values(slice(x, 1, -2))).toEqual([1, 2, 4, 5]);
    expect(values(select(x, 0, -1))).toEqual([3, 4, 5]);
    expect(values(expand(counting(2, 1), [2, 2, -1 + 3]))).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
    expect(unsqueeze(x, -1).shape).toEqual([2, 3, 1]);
    expect(unsqueeze(x, 0).shape).toEqual([1, 2, 3]);
    expect(squeeze(counting(2, 1, 3), 1).shape).toEqual([2, 3]);
    for (const view of [transpose(x), slice(x, 0, 1, 2), select(x, 1, 0), expand(x, [4, 2, 3]), unsqueeze(x, 1)]) {
      expect(sharesMemory(view, x)).toBe(true);
    }
  });

  test('empty slices and empty tensors', () => {
    const x = counting(2, 3);
    expect(slice(x, 1, 3, 3).shape).toEqual([2, 0]);
    expect(values(slice(x, 0, 2, 2))).toEqual([]);
    expect(reshape(slice(x, 1, 0, 0), [0, 7]).shape).toEqual([0, 7]);
  });

  test('writing through is only allowed to packed tensors', () => {
    const x = counting(2, 2);
    select(x, 0, 1).write([8, 9]);
    expect(values(x)).toEqual([0, 1, 8, 9]);
    expect(() => transpose(x).write([1, 2, 3, 4])).toThrow(ShapeError);
    expect(() => x.write([1])).toThrow('write: expected 4 values for [2, 2], got 1');
  });
});

describe('reshape', () => {
  test('is a view where strides allow, a copy elsewhere', () => {
    const x = counting(2, 3, 4);
    expect(sharesMemory(reshape(x, [6, -1]), x)).toBe(true);
    expect(sharesMemory(reshape(slice(x, 2, 0, 2), [2, 3, 1, 2]), x)).toBe(true);
    expect(sharesMemory(reshape(slice(x, 2, 0, 2), [6, 2]), x)).toBe(true);
    expect(sharesMemory(reshape(slice(x, 2, 0, 2), [12]), x)).toBe(false);
    expect(values(reshape(transpose(x, 0, 2), [24])).slice(0, 4)).toEqual([0, 12, 4, 16]);
    expect(contiguous(x)).toBe(x);
    expect(values(contiguous(transpose(counting(2, 2))))).toEqual([0, 2, 1, 3]);
  });

  test('keeps the row-major order of any view (random shapes)', () => {
    const cases = fc
      .tuple(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }), fc.infiniteStream(fc.nat()))
      .map(([shape, stream]) => {
        const order = shape.map((_, axis) => axis).sort(() => ((stream.next().value as number) % 2) - 0.5);
        return {
          shape,
          order,
          start: (stream.next().value as number) % 2,
          groups: (stream.next().value as number) % 5,
        };
      });
    fc.assert(
      fc.property(cases, ({ shape, order, start, groups }) => {
        const base = counting(...shape.map((size, axis) => (axis === 0 ? size + start : size)));
        const view = permute(slice(base, 0, start), order);
        const size = view.size;
        const target = [1, groups, 2, 3, 4].find((step) => step > 0 && size % step === 0) ?? 1;
        expect(values(reshape(view, [target, 1, size / target]))).toEqual(values(view));
      }),
      { numRuns: 200 },
    );
  });
});

describe('errors', () => {
  const x = (): Tensor => counting(2, 3);
  test.each([
    ['reshape', () => reshape(x(), [4]), 'reshape: expected a shape of 6 elements for [2, 3], got [4]'],
    ['reshape', () => reshape(x(), [-1, -1]), 'reshape: expected a shape of 6 elements'],
    ['permute', () => permute(x(), [0, 0]), 'permute: expected every axis of [2, 3] once, got order [0, 0]'],
    ['transpose', () => transpose(x(), 0, 2), 'transpose: expected an axis in [-2, 1] for shape [2, 3], got 2'],
    ['slice', () => slice(x(), 1, 2, 4), 'slice: expected 0 <= start <= end <= 3 on axis 1, got [2, 4)'],
    ['select', () => select(x(), 0, 2), 'select: expected an index below 2 on axis 0, got 2'],
    ['expand', () => expand(x(), [2, 4]), 'expand: expected a shape that [2, 3] broadcasts to, got [2, 4]'],
    ['squeeze', () => squeeze(x(), 0), 'squeeze: expected axis 0 of size 1, got shape [2, 3]'],
  ])('%s %#', (_, call, message) => {
    expect(call).toThrow(ShapeError);
    expect(call).toThrow(message);
  });
});
