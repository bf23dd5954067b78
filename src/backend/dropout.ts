/**
 * The counter-based generator of dropout: whether element (row, column) is kept depends only on seed, stream and its
 * position, so backward and any split over threads see the same mask. native/kernels/dropout.inl.h is the same text.
 *
 * Source of the mixing function: C. Wellons, "Prospecting for Hash Functions" (lowbias32).
 */

/** lowbias32: a bijective mix of 32 bits. */
export function mix32(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Key of one row; `row` counts modulo 2^32. */
export function dropoutRowKey(seed: number, stream: number, row: number): number {
  return mix32(mix32(mix32(seed) ^ stream) ^ row);
}

/** True when the element stays. `threshold = round(rate · 2^24)`. */
export function dropoutKeep(rowKey: number, column: number, threshold: number): boolean {
  return mix32(rowKey ^ Math.imul(column, 0x9e3779b1)) >>> 8 >= threshold;
}
