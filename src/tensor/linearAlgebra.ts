/**
 * Matrix products and their gradient rules, all on the one matmul kernel: transposes are strides, batches broadcast by
 * stride 0, and a product with a single matrix runs as one tall product.
 */

import type { View } from '../backend/contract.js';
import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { broadcastShape, broadcastView, reduceKept, rowsOf, sumToShape, viewOf } from './broadcast.js';
import { defineOperation } from './operation.js';
import { allocate, type Tensor } from './tensor.js';

/** The same window with its last two axes swapped. */
function swapped(x: View): View {
  const swap = (values: readonly number[]): number[] => [
    ...values.slice(0, -2),
    values[values.length - 1] as number,
    values[values.length - 2] as number,
  ];
  return viewOf(x, swap(x.shape), swap(x.strides));
}

/** Padded in front to rank 4: [A, B, M, N]. */
function asRank4(x: View): View {
  const missing = 4 - x.shape.length;
  if (missing === 0) return x;
  const fill = (value: number): number[] => new Array<number>(missing).fill(value);
  return viewOf(x, [...fill(1), ...x.shape], [...fill(0), ...x.strides]);
}

function run(out: Tensor, outView: View, a: View, b: View, bias?: Tensor): Tensor {
  const operands = { out: asRank4(outView), a: asRank4(a), b: asRank4(b), bias };
  out.backend.run('matmul_f32', operands, { alpha: 1, activation: 0 });
  return out;
}

/** `rows(x) · b + bias` for a matrix b [K, N]; the result has shape [...leading axes of x, N]. */
function rowsTimes(x: Tensor, b: View, bias?: Tensor): Tensor {
  const out = allocate(x.backend, 'f32', [...x.shape.slice(0, -1), b.shape[1] as number]);
  return run(out, rowsOf(out), rowsOf(x), b, bias);
}

/** `rows(x)ᵀ · rows(y)`: [K, N] for x [..., K] and y [..., N]. */
function rowsProduct(x: Tensor, y: Tensor): Tensor {
  const out = allocate(x.backend, 'f32', [x.shape.at(-1) as number, y.shape.at(-1) as number]);
  return run(out, out, swapped(rowsOf(x)), rowsOf(y));
}

/** Batched product with broadcasting batches. */
function batchedProduct(like: Tensor, a: View, b: View): Tensor {
  const batch = broadcastShape('matmul', a.shape.slice(0, -2), b.shape.slice(0, -2));
  const [M, K] = a.shape.slice(-2) as [number, number];
  const N = b.shape.at(-1) as number;
  const out = allocate(like.backend, 'f32', [...batch, M, N]);
  return run(out, out, broadcastView(a, [...batch, M, K]), broadcastView(b, [...batch, K, N]));
}

/** True when b is one matrix for every row of a. */
function sharesMatrix(a: Tensor, b: Tensor): boolean {
  return b.shape.length === 2 && a.shape.length > 2;
}

const matmulOperation = defineOperation({
  name: 'matmul',
  forward: ([a, b]: readonly [Tensor, Tensor]) => ({
    outputs: [sharesMatrix(a, b) ? rowsTimes(a, b) : batchedProduct(a, a, b)],
  }),
  backward: ({ inputs: [a, b], needs }, [dout]) => {
    const shared = sharesMatrix(a, b);
    const da = (): Tensor => (shared ? rowsTimes(dout, swapped(b)) : batchedProduct(a, dout, swapped(b)));
    const db = (): Tensor => (shared ? rowsProduct(a, dout) : batchedProduct(a, swapped(a), dout));
    return [needs[0] ? sumToShape(da(), a.shape) : undefined, needs[1] ? sumToShape(db(), b.shape) : undefined];
  },
});

function checkRank(name: string, x: Tensor): void {
  if (x.shape.length < 2 || x.shape.length > 4) {
    throw new ShapeError(`matmul: expected ${name} of rank 2 to 4, got shape ${formatShape(x.shape)}`, {
      shape: x.shape,
    });
  }
}

/**
 * Matrix product over the last two axes; leading axes are batches and broadcast.
 *
 * Shapes: a [*, M, K], b [*, K, N] → [*, M, N], ranks 2 to 4.
 * Numerics: componentwise error <= 8u·(|a|·|b|) for K <= 4096.
 * @throws ShapeError when K or the batches differ.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  checkRank('a', a);
  checkRank('b', b);
  const K = a.shape.at(-1);
  if (b.shape.at(-2) !== K) {
    throw new ShapeError(
      `matmul: expected b [*, K, N] = [*, ${K}, *] to match a ${formatShape(a.shape)}, got ${formatShape(b.shape)}; K differs`,
      { a: a.shape, b: b.shape },
    );
  }
  return matmulOperation([a, b])[0];
}

const linearOperation = defineOperation({
  name: 'linear',
  forward: ([x, weight, bias]: readonly [Tensor, Tensor, Tensor | undefined]) => ({
    outputs: [rowsTimes(x, swapped(weight), bias)],
  }),
  backward: ({ inputs: [x, weight], needs }, [dout]) => [
    needs[0] ? rowsTimes(dout, weight) : undefined,
    needs[1] ? rowsProduct(dout, x) : undefined,
    needs[2] ? columnSum(dout) : undefined,
  ],
});

/** Sum over all axes but the last. */
function columnSum(x: Tensor): Tensor {
  const N = x.shape.at(-1) as number;
  const axes = x.shape.slice(0, -1).map((_, axis) => axis);
  const kept = axes.length === 0 ? x : reduceKept(x, axes, 'sum');
  return kept.window([N], [kept.strides.at(-1) as number], kept.offset);
}

/**
 * A dense layer in one fused product: `x · weightᵀ + bias`.
 *
 * Shapes: x [..., in], weight [out, in], bias [out] → [..., out].
 * @throws ShapeError when the widths differ.
 */
export function linear(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const width = x.shape.at(-1);
  if (weight.shape.length !== 2 || weight.shape[1] !== width) {
    throw new ShapeError(
      `linear: expected weight [out, in] = [*, ${width}] to match x ${formatShape(x.shape)}, got ${formatShape(weight.shape)}`,
      { x: x.shape, weight: weight.shape },
    );
  }
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== weight.shape[0])) {
    throw new ShapeError(`linear: expected bias [out] = [${weight.shape[0]}], got ${formatShape(bias.shape)}`, {
      bias: bias.shape,
    });
  }
  return linearOperation([x, weight, bias])[0];
}
