/** Percentiles of measured times. */

import { StateError } from '../core/errors.js';

/** Times at which 50, 95 and 99 % of the measured calls had ended. */
export interface Latency {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/**
 * The value below which a share of the values lie.
 *
 * With the values sorted as x_0 … x_{n-1} and h = share·(n-1): x_⌊h⌋ + (h - ⌊h⌋)·(x_⌊h⌋₊₁ - x_⌊h⌋), that is linear
 * interpolation, type 7 of Hyndman and Fan 1996, as in NumPy and R. Share 0 is the least value, 1 the greatest.
 * Errors: StateError for no values, a NaN among them, or a share outside [0, 1].
 */
export function percentile(values: ArrayLike<number>, share: number): number {
  return interpolate(sorted(values), share);
}

/** p50, p95 and p99 in the unit of the values. Errors: StateError for no values or a NaN among them. */
export function latency(values: ArrayLike<number>): Latency {
  const ascending = sorted(values);
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => interpolate(ascending, share)) as [number, number, number];
  return { p50, p95, p99 };
}

function sorted(values: ArrayLike<number>): Float64Array {
  const ascending = Float64Array.from(values).sort();
  // The sort puts NaN last.
  if (ascending.length === 0 || Number.isNaN(ascending.at(-1))) {
    throw new StateError(`percentile: expected numbers, got ${ascending.length === 0 ? 'none' : 'NaN among them'}`);
  }
  return ascending;
}

function interpolate(ascending: Float64Array, share: number): number {
  if (!(share >= 0 && share <= 1)) throw new StateError(`percentile: expected a share in [0, 1], got ${share}`);
  const place = share * (ascending.length - 1);
  const below = Math.floor(place);
  const low = ascending[below] ?? 0;
  const high = ascending[Math.min(below + 1, ascending.length - 1)] ?? 0;
  return low === high ? low : low + (place - below) * (high - low);
}
