/** The Gini coefficient: how unevenly something is shared. */

/**
 * `Σ_i (2i - n - 1)·x_i / (n·Σ x)` over the values in ascending order, i from 1: 0 when all are equal, `1 - 1/n` when
 * one has everything. NaN when there is nothing to share (Gini 1912).
 */
export function gini(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort();
  const total = sorted.reduce((sum, value) => sum + value, 0);
  const weighted = sorted.reduce((sum, value, at) => sum + (2 * (at + 1) - sorted.length - 1) * value, 0);
  return total > 0 ? weighted / (sorted.length * total) : Number.NaN;
}
