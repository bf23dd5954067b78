/** What left a block, as plain numbers: how different its rows are, its largest and its usual values. */

import type { BlockOutputs } from '../core/records.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Shapes: x [B, L, E], of which the first `lengths[b]` rows of example b are real. The residual is that of Dong et al.
 * 2021, eq. 2, with the mean of the rows in place of the best vector, in the Frobenius norm.
 */
export function measureBlock(path: string, x: Tensor, lengths?: readonly number[]): BlockOutputs {
  const [B, L, E] = x.shape as [number, number, number];
  const values = x.toArray();
  const examples = Array.from({ length: B }, (_, b) =>
    Float64Array.from(values.subarray(b * L * E, (b * L + (lengths?.[b] ?? L)) * E)),
  );
  const sizes = sizesOf(examples);
  return {
    path,
    examples: B,
    residualRatio: examples.reduce((sum, example) => sum + residualOf(example, E), 0) / B,
    largest: sizes.at(-1) ?? 0,
    median: sizes[Math.floor(sizes.length / 2)] ?? 0,
    nonFinite: sizes.filter((value) => !Number.isFinite(value)).length,
  };
}

/** Absolute values in ascending order; NaN comes last. */
function sizesOf(examples: readonly Float64Array[]): Float64Array {
  const sizes = new Float64Array(examples.reduce((sum, { length }) => sum + length, 0));
  let filled = 0;
  for (const example of examples) {
    sizes.set(example.map(Math.abs), filled);
    filled += example.length;
  }
  return sizes.sort();
}

/** `sqrt(1 - rows·‖mean‖² / ‖x‖²)`; 1 for rows of zeros or a single row, which cannot be told apart. */
function residualOf(rows: Float64Array, E: number): number {
  const count = rows.length / E;
  const total = rows.reduce((sum, value) => sum + value * value, 0);
  if (count < 2 || total === 0) return 1;
  const mean = new Float64Array(E);
  rows.forEach((value, at) => {
    mean[at % E] = (mean[at % E] ?? 0) + value / count;
  });
  const common = count * mean.reduce((sum, value) => sum + value * value, 0);
  return Math.sqrt(Math.max(0, 1 - common / total));
}
