/** What `checkCall` binds and refuses, and the numbers `encodeCall` writes. */

import { describe, expect, it } from 'vitest';
import { BackendError, DTypeError, ShapeError } from '../core/errors.js';
import { packedStrides, sizeOf } from '../core/shape.js';
import type { DeviceBuffer, DType, KernelName, View } from './contract.js';
import { kernelTable } from './kernels.generated.js';
import { checkCall, encodeCall, signatures, viewExtent } from './signature.js';

function view(shape: readonly number[], options: Partial<View> & { dtype?: DType; length?: number } = {}): View {
  const { dtype = 'f32', offset = 0, strides = packedStrides(shape), length = offset + sizeOf(shape) } = options;
  const buffer: DeviceBuffer = options.buffer ?? { dtype, length };
  return { buffer, offset, shape, strides };
}

const affine = { scale: 1, shift: 0 };

describe('signatures', () => {
  it('parses every kernel of the table, in its order', () => {
    expect(Object.keys(signatures)).toEqual(Object.keys(kernelTable));
    for (const { operands } of Object.values(signatures)) expect(operands.some(({ written }) => written)).toBe(true);
  });

  it('reads flags', () => {
    const [parameter, , , gradient] = signatures.adamw_f32.operands;
    expect(parameter).toMatchObject({ name: 'parameter', written: true, read: true, optional: false, dims: ['N'] });
    expect(gradient).toMatchObject({ name: 'gradient', written: false, read: true });
    expect(signatures.affine_f32.operands[0]).toMatchObject({
      dims: null,
      written: true,
      read: false,
      mayCoincide: true,
    });
    expect(signatures.layer_norm_f32.operands[4]).toMatchObject({ name: 'gamma', optional: true });
  });
});

describe('viewExtent', () => {
  it('is one past the last element, or 0 for an empty view', () => {
    expect(viewExtent(view([2, 3], { offset: 4, strides: [10, 2] }))).toBe(4 + 10 + 4 + 1);
    expect(viewExtent(view([], { offset: 7 }))).toBe(8);
    expect(viewExtent(view([5, 0], { offset: 99, length: 0 }))).toBe(0);
  });
});

describe('checkCall', () => {
  it('binds sizes by letter and shapes by [...]', () => {
    const matmul = { out: view([1, 2, 3, 5]), a: view([1, 2, 3, 4]), b: view([1, 2, 4, 5]) };
    expect(checkCall('matmul_f32', matmul, { alpha: 1, activation: 0 }).sizes).toEqual({
      A: 1,
      B: 2,
      M: 3,
      N: 5,
      K: 4,
    });
    expect(checkCall('affine_f32', { out: view([2, 0, 3]), a: view([2, 0, 3]) }, affine).shape).toEqual([2, 0, 3]);
  });

  it.each<[string, KernelName, Record<string, View>, new (...words: never[]) => Error, RegExp]>([
    ['a missing operand', 'copy_f32', { out: view([2]) }, ShapeError, /copy_f32: expected a, got undefined/],
    [
      'a wrong dtype',
      'copy_f32',
      { out: view([2]), a: view([2], { dtype: 'i32' }) },
      DTypeError,
      /expected a f32, got i32/,
    ],
    ['a wrong rank', 'square_sum_f32', { out: view([1]), a: view([2, 2]) }, ShapeError, /expected a of rank 1/],
    ['a rank above 8', 'copy_f32', { out: view(Array(9).fill(1)), a: view(Array(9).fill(1)) }, ShapeError, /rank <= 8/],
    [
      'sizes that differ',
      'copy_f32',
      { out: view([2, 3]), a: view([3, 2]) },
      ShapeError,
      /expected a \[2, 3\], got \[3, 2\]/,
    ],
    ['a literal size', 'square_sum_f32', { out: view([2]), a: view([2]) }, ShapeError, /\[1\] = \[\*\], got \[2\]/],
    [
      'a short buffer',
      'copy_f32',
      { out: view([4]), a: view([4], { length: 3 }) },
      ShapeError,
      /3 elements, got an extent of 4/,
    ],
    [
      'an offset past the end',
      'copy_f32',
      { out: view([4]), a: view([4], { offset: 1, length: 4 }) },
      ShapeError,
      /extent of 5/,
    ],
    [
      'a negative stride',
      'copy_f32',
      { out: view([4]), a: view([4], { offset: 3, strides: [-1] }) },
      ShapeError,
      /non-negative/,
    ],
    ['a fractional size', 'copy_f32', { out: view([4]), a: view([2.5], { strides: [1] }) }, ShapeError, /whole/],
    ['a huge extent', 'copy_f32', { out: view([4]), a: view([4], { strides: [2 ** 52] }) }, ShapeError, /extent/],
    ['too few strides', 'copy_f32', { out: view([4]), a: view([4], { strides: [] }) }, ShapeError, /with 0 strides/],
    [
      'a broadcast output',
      'copy_f32',
      { out: view([4], { strides: [0] }), a: view([4]) },
      ShapeError,
      /because it is written/,
    ],
  ])('refuses %s', (_, kernel, operands, kind, text) => {
    const call = (): unknown => checkCall(kernel, operands, affine);
    expect(call).toThrow(kind);
    expect(call).toThrow(text);
  });

  it('refuses missing scalars', () => {
    const call = (): unknown => checkCall('affine_f32', { out: view([2]), a: view([2]) }, { scale: 1 });
    expect(call).toThrow(BackendError);
  });

  it('refuses outputs that overlap inputs, except the very same view where that is allowed', () => {
    const buffer: DeviceBuffer = { dtype: 'f32', length: 8 };
    const a = view([4], { buffer });
    expect(() => checkCall('affine_f32', { out: a, a }, affine)).not.toThrow();
    expect(() => checkCall('copy_f32', { out: a, a }, {})).toThrow(/overlapping/);
    expect(() => checkCall('affine_f32', { out: view([4], { buffer, offset: 2 }), a }, affine)).toThrow(/overlapping/);
    expect(() => checkCall('affine_f32', { out: view([4], { buffer, strides: [2] }), a }, affine)).toThrow(
      /overlapping/,
    );
    expect(() => checkCall('copy_f32', { out: view([4], { buffer, offset: 4 }), a }, {})).not.toThrow();
  });
});

describe('encodeCall', () => {
  it('writes operands, then scalars', () => {
    const numbers = new Float64Array(32);
    const operands = { out: view([2, 3], { offset: 4 }), a: view([2, 3], { strides: [0, 1] }) };
    const count = encodeCall('affine_f32', operands, { scale: 2, shift: -1 }, numbers);
    expect([...numbers.subarray(0, count)]).toEqual([1, 4, 2, 2, 3, 3, 1, 1, 0, 2, 2, 3, 0, 1, 2, -1]);
  });

  it('writes a single 0 for an operand left out', () => {
    const numbers = new Float64Array(64);
    const operands = { out: view([1, 2]), rstd: view([1]), x: view([1, 2]) };
    const count = encodeCall('rms_norm_f32', operands, { epsilon: 0.5 }, numbers);
    expect([...numbers.subarray(count - 2, count)]).toEqual([0, 0.5]);
  });
});
