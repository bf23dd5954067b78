import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { DTypeError, ShapeError, UsageError } from '../core/errors.js';
import {
  add,
  affine,
  backward,
  divide,
  dropout,
  maximum,
  minimum,
  multiply,
  ones,
  relu,
  setBackend,
  subtract,
  sum,
  type Tensor,
  tensor,
  transpose,
  where,
} from './index.js';

beforeEach(() => setBackend(createReferenceBackend({ precision: 'f64' })));
const values = (x: Tensor): number[] => Array.from(x.toArray());

describe('broadcasting', () => {
  test('equals index arithmetic (random shapes)', () => {
    const sizes = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom('both', 'a', 'b')), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(sizes, fc.nat(4), fc.nat(4), (axes, dropA, dropB) => {
        const shapeFor = (side: 'a' | 'b', drop: number): number[] =>
          axes.map(([size, who]) => (who === 'both' || who === side ? size : 1)).slice(Math.min(drop, axes.length));
        const make = (shape: number[], scale: number): Tensor =>
          tensor(
            Float64Array.from({ length: shape.reduce((x, y) => x * y, 1) }, (_, at) => scale * (at + 1)),
            shape,
          );
        const a = make(shapeFor('a', dropA), 1);
        const b = make(shapeFor('b', dropB), 100);
        const out = add(a, b);
        const at = (x: Tensor, flat: number): number => {
          let rest = flat;
          let from = 0;
          for (let axis = 1; axis <= out.shape.length; axis++) {
            const size = out.shape.at(-axis) as number;
            if ((x.shape.at(-axis) ?? 1) !== 1) from += (rest % size) * (x.strides.at(-axis) as number);
            rest = Math.floor(rest / size);
          }
          return x.toArray()[from] as number;
        };
        expect(values(out)).toEqual(Array.from({ length: out.size }, (_, flat) => at(a, flat) + at(b, flat)));
      }),
      { numRuns: 200 },
    );
  });

  test('shapes that do not fit are named', () => {
    expect(() => add(ones([2, 3]), ones([2]))).toThrow(ShapeError);
    expect(() => add(ones([2, 3]), ones([2]))).toThrow(
      'add: expected b to broadcast with a [2, 3], got [2]; axis -1 differs',
    );
  });
});

test('numbers stand for tensors on either side', () => {
  const x = tensor([1, 4]);
  expect(values(add(2, x))).toEqual([3, 6]);
  expect(values(subtract(x, 1))).toEqual([0, 3]);
  expect(values(subtract(1, x))).toEqual([0, -3]);
  expect(values(multiply(3, x))).toEqual([3, 12]);
  expect(values(divide(x, 3))).toEqual([1 / 3, 4 / 3]);
  expect(values(divide(2, x))).toEqual([2, 0.5]);
  expect(values(maximum(x, 2))).toEqual([2, 4]);
  expect(values(minimum(2, x))).toEqual([1, 2]);
  expect(values(affine(x, 2, 1))).toEqual([3, 9]);
  expect(() => add(1, 2)).toThrow(DTypeError);
});

test('strided operands', () => {
  const x = tensor([1, -2, 3, -4], [2, 2]);
  expect(values(add(x, transpose(x)))).toEqual([2, 1, 1, -8]);
  expect(values(relu(transpose(x)))).toEqual([1, 3, 0, 0]);
});

test('the gradient of equal elements is counted once', () => {
  const a = tensor([1, 2], [2], { requiresGrad: true });
  const b = tensor([1, 1], [2], { requiresGrad: true });
  backward(sum(add(maximum(a, b), minimum(a, b))));
  expect(values(add(a.grad as Tensor, b.grad as Tensor))).toEqual([2, 2]);
});

describe('where', () => {
  test('chooses, and what is not chosen cannot leak', () => {
    const condition = tensor([1, 0], [2], { dtype: 'u8' });
    const a = tensor([1, Number.NaN], [2], { requiresGrad: true });
    const out = where(condition, a, 7);
    expect(values(out)).toEqual([1, 7]);
    backward(sum(out));
    expect(values(a.grad as Tensor)).toEqual([1, 0]);
  });

  test('wants a u8 condition', () => {
    expect(() => where(ones([2]), 1, 2)).toThrow('where: expected a u8 condition, got f32');
  });
});

describe('dropout', () => {
  const options = { rate: 0.25, seed: 11, stream: 4 };

  test('keeps about 1 - rate, scaled, and repeats for one seed and stream', () => {
    const x = ones([100, 40]);
    const out = values(dropout(x, options));
    const kept = out.filter((value) => value !== 0);
    expect(new Set(kept)).toEqual(new Set([1 / 0.75]));
    expect(kept.length / out.length).toBeCloseTo(0.75, 1);
    expect(values(dropout(x, options))).toEqual(out);
    expect(values(dropout(x, { ...options, stream: 5 }))).not.toEqual(out);
    expect(values(dropout(x, { ...options, seed: 12 }))).not.toEqual(out);
  });

  test('the mask does not depend on strides, and backward uses the same one', () => {
    const x = tensor(
      Float64Array.from({ length: 60 }, (_, at) => at + 1),
      [6, 10],
      { requiresGrad: true },
    );
    const out = dropout(transpose(x), options);
    backward(sum(out));
    const gradient = values(transpose(x.grad as Tensor));
    expect(gradient.map((g) => g !== 0)).toEqual(values(out).map((value) => value !== 0));
  });

  test('rate 0 is the tensor itself; a rate outside [0, 1) is refused', () => {
    const x = ones([2]);
    expect(dropout(x, { ...options, rate: 0 })).toBe(x);
    expect(() => dropout(x, { ...options, rate: 1 })).toThrow(UsageError);
  });
});
