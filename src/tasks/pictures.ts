/** From captured attention to pictures: one per head, with tokens on both axes and forbidden cells marked. */

import type { AttentionPicture, CapturedAttention } from '../core/records.js';

/** Tokens on the axes of one attention module, and which pairs its mask allows. */
export interface PictureAxes {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Only keys up to the query's own position are allowed. */
  readonly causal?: boolean;
}

/** The pictures of every head of one captured call with one sequence and all rows recorded. */
export function picturesOf({ path, kind, record }: CapturedAttention, axes: PictureAxes): AttentionPicture[] {
  const { heads, queries, keys, weights } = record;
  const cell = (head: number, row: number, column: number): number =>
    axes.causal && column > row ? Number.NaN : (weights?.values[(head * queries + row) * keys + column] ?? Number.NaN);
  return Array.from({ length: heads }, (_, head) => ({
    path,
    kind,
    head,
    rows: axes.rows,
    columns: axes.columns,
    weights: Array.from({ length: queries }, (_, row) =>
      Array.from({ length: keys }, (_, column) => cell(head, row, column)),
    ),
  }));
}
