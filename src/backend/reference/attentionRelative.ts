/**
 * What depends on the distance of query and key: the column of `relative` that a pair reads, and how much weight each
 * column gets. Next: attentionRow.ts, which adds `relative` to the scores.
 */

import { BackendError } from '../../core/errors.js';
import type { Strided } from './strided.js';

/** Column of pair (i, j) in a table of R columns: the distance j - (i + offset), counted from `reach`, clipped. */
export function relativeColumn(i: number, j: number, { offset, reach }: Offsets, R: number): number {
  return Math.max(0, Math.min(R - 1, j - (i + offset) + reach));
}

export interface Offsets {
  readonly offset: number;
  readonly reach: number;
}

/** Throws for a table without columns and for a `reach` that is no whole number. */
export function checkRelative(table: Strided | undefined, { reach }: Offsets): void {
  if (!table || (table.shape[3] !== 0 && Number.isSafeInteger(reach))) return;
  throw new BackendError(`attention: expected R >= 1 and a whole reach, got ${table.shape[3]} and ${reach}`);
}

/** Collects a value for each column of one row at a time: weights in forward, gradients in backward. */
export class ColumnSums {
  readonly #target: Strided | undefined;
  readonly #offsets: Offsets;
  readonly #sums: Float64Array;
  #i = 0;

  constructor(target: Strided | undefined, offsets: Offsets) {
    checkRelative(target, offsets);
    this.#target = target;
    this.#offsets = offsets;
    this.#sums = new Float64Array(target?.shape[3] ?? 0);
  }

  moveTo(i: number): void {
    this.#i = i;
    this.#sums.fill(0);
  }

  add(j: number, value: number): void {
    if (this.#sums.length === 0) return;
    (this.#sums[relativeColumn(this.#i, j, this.#offsets, this.#sums.length)] as number) += value;
  }

  /** Writes the row, or adds it to what stands there. */
  write(b: number, h: number, i: number, adding = false): void {
    const target = this.#target;
    if (!target) return;
    for (const [r, sum] of this.#sums.entries()) {
      const at = target.position(b, h, i, r);
      target.store(at, adding ? target.load(at) + sum : sum);
    }
  }
}
