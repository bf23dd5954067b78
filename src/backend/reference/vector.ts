/**
 * Sums over packed float64 rows: the inner loops of the reference kernels, each in ascending order.
 */

/** Σ a·b over the length of `a`; `b` is read from `start`. */
export function dot(a: Float64Array, b: Float64Array, start = 0): number {
  let sum = 0;
  for (let n = 0; n < a.length; n++) sum += (a[n] as number) * (b[start + n] as number);
  return sum;
}

/** sum += factor · row, where `row` is the part of `rows` that starts at `start`. */
export function addScaled(sum: Float64Array, factor: number, rows: Float64Array, start = 0): void {
  for (let n = 0; n < sum.length; n++) sum[n] = (sum[n] as number) + factor * (rows[start + n] as number);
}

/** rows[start …] += factor · a. */
export function scatterScaled(rows: Float64Array, start: number, factor: number, a: Float64Array): void {
  for (let n = 0; n < a.length; n++) rows[start + n] = (rows[start + n] as number) + factor * (a[n] as number);
}

/** Largest entry of the first `length`; NaN when one of them is NaN, -Infinity when there is none. */
export function maximumOf(row: Float64Array, length: number = row.length): number {
  let maximum = -Infinity;
  for (let n = 0; n < length; n++) maximum = Math.max(maximum, row[n] as number);
  return maximum;
}

/** ln Σ e^row over the first `length`, shifted by the maximum; -Infinity for none. */
export function logSumExp(row: Float64Array, length: number = row.length): number {
  const maximum = maximumOf(row, length);
  if (maximum === -Infinity) return -Infinity;
  let sum = 0;
  for (let n = 0; n < length; n++) sum += Math.exp((row[n] as number) - maximum);
  return maximum + Math.log(sum);
}
