import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { ShapeError } from '../core/errors.js';
import { argmax, expand, max, mean, min, ones, permute, setBackend, sum, type Tensor, tensor } from './index.js';

beforeEach(() => setBackend(createReferenceBackend({ precision: 'f64' })));
const values = (x: Tensor): number[] => Array.from(x.toArray());

/** Groups of elements that share all coordinates outside `axes`, in row-major order of those coordinates. */
function groups(x: Tensor, axes: readonly number[]): number[][] {
  const found = new Map<string, number[]>();
  values(x).forEach((value, flat) => {
    let rest = flat;
    const key = x.shape.map(() => 0);
    for (let axis = x.shape.length - 1; axis >= 0; axis--) {
      const size = x.shape[axis] as number;
      if (!axes.includes(axis)) key[axis] = rest % size;
      rest = Math.floor(rest / size);
    }
    const name = key.join();
    const group = found.get(name);
    if (group) group.push(value);
    else found.set(name, [value]);
  });
  return [...found.values()];
}

test('every reduction over any axes of any view (random shapes)', () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shapes, fc.nat(), fc.nat(), fc.boolean(), (shape, mask, turn, keepAxes) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const base = tensor(
        Float64Array.from({ length: size }, (_, at) => (at * 37) % 23),
        shape,
      );
      const x = permute(
        base,
        shape.map((_, axis) => (axis + turn) % shape.length),
      );
      const axes = shape.map((_, axis) => axis).filter((axis) => (mask >> axis) & 1);
      const wanted = groups(x, axes);
      const total = (list: number[]): number => list.reduce((a, b) => a + b, 0);
      const out = sum(x, axes, keepAxes);
      expect(out.shape).toEqual(
        keepAxes
          ? x.shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
          : x.shape.filter((_, axis) => !axes.includes(axis)),
      );
      expect(values(out)).toEqual(wanted.map(total));
      expect(values(max(x, axes))).toEqual(wanted.map((list) => Math.max(...list)));
      expect(values(min(x, axes))).toEqual(wanted.map((list) => Math.min(...list)));
      const means = values(mean(x, axes));
      for (const [at, list] of wanted.entries()) expect(means[at]).toBeCloseTo(total(list) / list.length, 12);
    }),
    { numRuns: 200 },
  );
});

test('all axes by default; negative axes; broadcast inputs', () => {
  const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
  expect(sum(x).shape).toEqual([]);
  expect(mean(x).item()).toBe(3.5);
  expect(values(sum(x, -1))).toEqual([6, 15]);
  expect(values(sum(expand(tensor([1, 2]), [3, 2]), 0))).toEqual([3, 6]);
  expect(values(sum(tensor([], [0, 2]), 0))).toEqual([0, 0]);
});

test('argmax takes the first of equals', () => {
  const x = tensor([1, 5, 5, 7, 0, 7], [2, 3]);
  expect(argmax(x).toArray()).toEqual(Int32Array.of(1, 0));
  expect(argmax(x, 0).toArray()).toEqual(Int32Array.of(1, 0, 1));
  expect(argmax(x).dtype).toBe('i32');
});

test('errors', () => {
  expect(() => sum(ones([2]), 1)).toThrow('sum: expected an axis in [-1, 0] for shape [2], got 1');
  expect(() => mean(ones([2, 2]), [0, -2])).toThrow(ShapeError);
});
