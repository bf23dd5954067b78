/**
 * Sparse relatives of softmax: probabilities that may be exactly 0. The threshold of a row is found by sorting, on the
 * host and in float64; the gradient is the known Jacobian. Next: normalise.ts for softmax.
 */

import { divide, maximum, multiply, subtract } from './arithmetic.js';
import { tensor } from './create.js';
import { defineOperation } from './operation.js';
import { sum } from './reduce.js';
import type { Tensor } from './tensor.js';

/** How probabilities follow from a row's values above its threshold, and what the Jacobian needs of them. */
interface Family {
  /** Values are multiplied by this before the threshold is taken: α - 1. */
  readonly factor: number;
  /** The threshold of the largest values seen so far: how many, their sum and the sum of their squares. */
  threshold(count: number, total: number, squares: number): number;
  /** `[z - τ]₊ ^ 1/(α-1)`, for z - τ > 0. */
  power(above: number): number;
  /** `p ^ (2-α)`, for p > 0. */
  slope(p: number): number;
}

/** α = 2: Martins and Astudillo 2016, algorithm 1 and proposition 2. */
const sparsemaxFamily: Family = {
  factor: 1,
  threshold: (count, total) => (total - 1) / count,
  power: (above) => above,
  slope: () => 1,
};

/** α = 1.5: Peters, Niculae and Martins 2019, algorithm 2 and proposition 2. */
const entmax15Family: Family = {
  factor: 0.5,
  threshold: (count, total, squares) => {
    const mean = total / count;
    return mean - Math.sqrt(Math.max(0, (1 - (squares - count * mean * mean)) / count));
  },
  power: (above) => above * above,
  slope: Math.sqrt,
};

/** The probabilities of one row; all 0 for a row of -Infinity, NaN for one that holds NaN or Infinity. */
function probabilities(row: Float64Array, { factor, threshold, power }: Family): Float64Array {
  const largest = row.reduce((most, value) => (value > most || Number.isNaN(value) ? value : most), -Infinity);
  if (!Number.isFinite(largest)) return row.fill(largest === -Infinity ? 0 : NaN);
  const z = row.map((value) => (value - largest) * factor); // the largest is 0, so no cancellation
  let [tau, count, total, squares] = [-1, 0, 0, 0];
  for (const value of z.slice().sort().reverse()) {
    count++;
    total += value;
    squares += value * value;
    const next = threshold(count, total, squares);
    if (!(next < value)) break;
    tau = next;
  }
  return z.map((value) => (value > tau ? power(value - tau) : 0));
}

interface EntmaxOptions {
  readonly family: Family;
}

const operation = defineOperation({
  name: 'entmax',
  forward: ([x]: readonly [Tensor], { family }: EntmaxOptions) => {
    const values = Float64Array.from(x.toArray());
    const width = x.shape.at(-1) as number;
    for (let at = 0; at < values.length; at += width) {
      const row = values.subarray(at, at + width);
      row.set(probabilities(row, family));
    }
    const like = { dtype: 'f32', backend: x.backend } as const;
    const slopes = values.map((p) => (p > 0 ? family.slope(p) : p));
    return { outputs: [tensor(values, x.shape, like)], saved: { slope: tensor(slopes, x.shape, like) } };
  },
  /** `dx = g·(dout - Σ g·dout / Σ g)` with the slopes g; a row without any probability gets zeros. */
  backward: ({ saved: { slope } }, [dout]) => {
    const mass = maximum(sum(slope, -1, true), 1e-30);
    const mean = divide(sum(multiply(slope, dout), -1, true), mass);
    return [multiply(slope, subtract(dout, mean))];
  },
});

/**
 * The nearest point of the probability simplex to a row: `max(x - τ, 0)` with τ such that the row sums to 1.
 *
 * Shapes: x [..., N] → [..., N], over the last axis. -Infinity gets 0; a row of -Infinity gives zeros.
 * Source: Martins and Astudillo 2016.
 */
export function sparsemax(x: Tensor): Tensor {
  return operation([x], { family: sparsemaxFamily })[0];
}

/**
 * Between softmax and sparsemax: `max(x/2 - τ, 0)²` with τ such that the row sums to 1.
 *
 * Shapes: as `sparsemax`. Source: Peters, Niculae and Martins 2019, α = 1.5.
 */
export function entmax15(x: Tensor): Tensor {
  return operation([x], { family: entmax15Family })[0];
}
