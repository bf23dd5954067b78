/** How often values fall where, in a fixed number of bins of equal width. */

import { StateError } from '../core/errors.js';

/** Counts of values. Bin i holds values in (limits[i-1], limits[i]]; the first bin begins at `minimum`, inclusive. */
export interface Histogram {
  readonly count: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly sum: number;
  readonly squareSum: number;
  /** Upper ends of the bins, rising; the last is `maximum`. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/**
 * The histogram of some values between their least and their greatest. NaN and infinities are left out; without any
 * finite value there are no bins, and every number is 0. Errors: StateError for fewer than one bin.
 */
export function histogramOf(values: ArrayLike<number>, bins = 30): Histogram {
  if (!(Number.isInteger(bins) && bins >= 1)) throw new StateError(`histogramOf: expected bins >= 1, got ${bins}`);
  const finite = Array.from(values).filter(Number.isFinite);
  if (finite.length === 0) return { count: 0, minimum: 0, maximum: 0, sum: 0, squareSum: 0, limits: [], counts: [] };
  const [minimum, maximum] = finite.reduce(
    ([low, high], x) => [Math.min(low, x), Math.max(high, x)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  const limits = Array.from({ length: bins }, (_, i) => minimum + ((maximum - minimum) * (i + 1)) / bins);
  limits[bins - 1] = maximum;
  const sum = finite.reduce((total, x) => total + x, 0);
  const squareSum = finite.reduce((total, x) => total + x * x, 0);
  return { count: finite.length, minimum, maximum, sum, squareSum, limits, counts: countsOf(finite, limits) };
}

function countsOf(values: readonly number[], limits: readonly number[]): number[] {
  const counts = limits.map(() => 0);
  for (const value of values) {
    const bin = firstAtLeast(limits, value);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/** Index of the first limit that is not below a value, by bisection. */
function firstAtLeast(limits: readonly number[], value: number): number {
  let [low, high] = [0, limits.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((limits[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
