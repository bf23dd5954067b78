/** Along which letters a kernel's results are independent of each other, and how to cut a packed array along an axis. */

import type { KernelName } from '../../src/backend/contract.js';
import { scoreOps } from '../../src/core/scoreOps.js';
import { sizeOf } from '../../src/core/shape.js';
import type { Case } from './case.js';

export const batchLetters: readonly (readonly [KernelName, readonly string[]])[] = [
  ['softmax_f32', ['M']],
  ['softmax_backward_f32', ['M']],
  ['cross_entropy_f32', ['M']],
  ['cross_entropy_backward_f32', ['M']],
  ['layer_norm_f32', ['M']],
  ['layer_norm_backward_f32', ['M']],
  ['rms_norm_f32', ['M']],
  ['rms_norm_backward_f32', ['M']],
  ['gather_rows_f32', ['M']],
  ['reduce_f32', ['M']],
  ['argmax_f32', ['M']],
  ['matmul_f32', ['A', 'B', 'M']],
  ['attention_forward_f32', ['B']],
  ['attention_backward_f32', ['B']],
  ['attention_weights_f32', ['B']],
  ['attention_transposed_f32', ['B']],
];

/**
 * The case depends on its place in the batch, as contract.ts says: the mask of dropout does, and a program that reads `b`.
 */
export function knowsItsPlace({ scalars, inputs: { program } }: Case): boolean {
  if ((scalars as Record<string, number>).dropoutRate) return true;
  const words = Array.from(program?.values ?? []);
  return words.some((word, at) => at % 4 === 0 && scoreOps[word] === 'b');
}

/** Entries `start` to `end` along `axis` of a packed array. */
export function entries(
  values: Float64Array,
  shape: readonly number[],
  axis: number,
  start: number,
  end: number,
): Float64Array {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = (shape[axis] as number) * inner;
  const parts: number[] = [];
  for (let first = start * inner; first < values.length; first += outer)
    parts.push(...values.subarray(first, first + (end - start) * inner));
  return Float64Array.from(parts);
}
