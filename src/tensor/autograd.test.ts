import { beforeEach, describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { BackendError, ShapeError, StateError } from '../core/errors.js';
import {
  add,
  affine,
  backward,
  defineOperation,
  detach,
  exp,
  expand,
  isRecording,
  multiply,
  noGrad,
  ones,
  reshape,
  scope,
  setBackend,
  split,
  square,
  sum,
  type Tensor,
  tensor,
  zeroGradients,
} from './index.js';

beforeEach(() => setBackend(createReferenceBackend({ precision: 'f64' })));

const leaf = (...values: number[]): Tensor => tensor(values, [values.length], { requiresGrad: true });
const gradient = (x: Tensor): number[] => Array.from(x.grad?.toArray() ?? []);

describe('backward', () => {
  test('adds up over every path', () => {
    const x = leaf(2, 3);
    const y = multiply(x, x);
    backward(sum(add(multiply(y, x), add(y, x)))); // x³ + x² + x
    expect(gradient(x)).toEqual([12 + 4 + 1, 27 + 6 + 1]);
  });

  test('visits a node after all nodes that use it', () => {
    const x = leaf(2);
    const a = square(x); // 4
    const b = multiply(a, 3);
    const c = multiply(b, a);
    backward(sum(add(c, a))); // 3x⁴ + x²
    expect(gradient(x)).toEqual([12 * 8 + 4]);
  });

  test('adds to an existing gradient until it is cleared', () => {
    const x = leaf(1, 2);
    backward(sum(square(x)));
    backward(sum(square(x)));
    expect(gradient(x)).toEqual([4, 8]);
    zeroGradients([x]);
    expect(x.grad).toBeUndefined();
  });

  test('gradients that share memory do not spoil each other', () => {
    const a = leaf(1, 2);
    const b = leaf(3, 4);
    const both = add(a, b);
    backward(sum(add(add(both, a), multiply(a, 10))));
    expect(gradient(a)).toEqual([12, 12]);
    expect(gradient(b)).toEqual([1, 1]);
    backward(sum(a));
    expect(gradient(a)).toEqual([13, 13]);
    expect(gradient(b)).toEqual([1, 1]);
  });

  test('a gradient that is a broadcast view becomes packed on the leaf', () => {
    const x = leaf(1, 2, 3);
    backward(sum(x));
    expect(x.grad?.strides).toEqual([1]);
    expect(gradient(x)).toEqual([1, 1, 1]);
  });

  test('starts from a seed', () => {
    const x = leaf(1, 2);
    const seed = tensor([3, 5]);
    backward(square(x), seed);
    expect(gradient(x)).toEqual([6, 20]);
    expect([...seed.toArray()]).toEqual([3, 5]);
  });

  test('leaves without requiresGrad and results without a path get nothing', () => {
    const x = leaf(1);
    const constant = tensor([2]);
    const unused = leaf(3);
    multiply(unused, 2);
    backward(sum(multiply(x, constant)));
    expect(constant.grad).toBeUndefined();
    expect(unused.grad).toBeUndefined();
  });

  test('results keep no gradient', () => {
    const x = leaf(1);
    const y = square(x);
    backward(sum(y));
    expect(y.grad).toBeUndefined();
  });

  test('outputs that the loss does not use count as zero', () => {
    const x = leaf(1, 2, 3);
    const [first] = split(x, [1, 2], 0);
    backward(sum(multiply(first as Tensor, 7)));
    expect(gradient(x)).toEqual([7, 0, 0]);
  });

  test('20,000 operations deep', () => {
    const x = leaf(1);
    scope(() => {
      let y = affine(x, 1, 0);
      for (let step = 0; step < 20_000; step++) y = affine(y, 1, 0);
      backward(sum(y));
    });
    expect(gradient(x)).toEqual([1]);
  });

  test('works after the scopes of the forward pass are closed', () => {
    const x = leaf(0.5);
    const hidden = scope(() => exp(exp(x)));
    const loss = scope(() => sum(exp(hidden)));
    hidden.dispose();
    backward(loss);
    const a = Math.exp(0.5);
    const b = Math.exp(a);
    expect(gradient(x)[0]).toBeCloseTo(Math.exp(b) * b * a, 8);
  });

  test('a used graph is refused', () => {
    const loss = sum(square(leaf(1)));
    backward(loss);
    expect(() => backward(loss)).toThrow(StateError);
    const y = square(leaf(1));
    backward(sum(y));
    expect(() => backward(sum(y))).toThrow(/run the forward pass again/);
  });

  test('a loss without a graph, of many elements, or a seed of another shape is refused', () => {
    expect(() => backward(ones([1]))).toThrow(StateError);
    const y = square(leaf(1, 2));
    expect(() => backward(y)).toThrow(/backward: expected a loss of 1 element, got \[2\]/);
    expect(() => backward(y, ones([3]))).toThrow(ShapeError);
    backward(y, ones([2]));
  });
});

describe('recording', () => {
  test('noGrad is off inside, back after an error', () => {
    const x = leaf(1);
    expect(noGrad(() => [isRecording(), square(x).requiresGrad])).toEqual([false, false]);
    expect(() =>
      noGrad(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(isRecording()).toBe(true);
  });

  test('detach stops gradients', () => {
    const x = leaf(3);
    const y = square(x);
    backward(sum(multiply(detach(y), x)));
    expect(gradient(x)).toEqual([9]);
  });
});

describe('defineOperation', () => {
  const calls: string[] = [];
  const cube = defineOperation({
    name: 'test: cube',
    forward: ([x]: readonly [Tensor], { scale }: { scale: number }) => {
      calls.push(`forward ${isRecording()}`);
      const squared = square(x);
      return { outputs: [affine(multiply(squared, x), scale)], saved: { squared } };
    },
    backward: ({ saved: { squared }, options: { scale }, needs }, [dout]) => {
      calls.push(`backward ${needs.join()}`);
      return [affine(multiply(dout, squared), 3 * scale)];
    },
  });

  test('records, keeps what it saved, and is differentiated', () => {
    const x = leaf(2);
    const loss = scope(() => sum(cube([x], { scale: 10 })[0]));
    expect(loss.item()).toBe(80);
    backward(loss);
    expect(gradient(x)).toEqual([120]);
    expect(calls).toEqual(['forward false', 'backward true']);
  });

  test('a gradient of the wrong shape is named', () => {
    const wrong = defineOperation({
      name: 'test: wrong',
      forward: ([x]: readonly [Tensor]) => ({ outputs: [affine(x, 2)] }),
      backward: (_, [dout]) => [reshape(expand(dout, [2, 1]), [2])],
    });
    expect(() => backward(sum(wrong([leaf(1)])[0]))).toThrow(
      'backward: expected the rule of test: wrong to give a gradient of shape [1], got [2]',
    );
  });

  test('inputs of two backends are refused', () => {
    const other = tensor([1], [1], { backend: createReferenceBackend() });
    expect(() => add(other, leaf(1))).toThrow(BackendError);
  });
});
