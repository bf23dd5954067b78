/** How evenly rows spread their attention, as one histogram a module. Means for each head: attentionSummary.ts. */

import type { CapturedAttention } from '../core/records.js';
import { type Histogram, histogramOf } from '../metrics/histogram.js';

/**
 * Of every module path, the histogram of entropy / ln n over rows with n ≥ 2 allowed keys, in [0, 1], all heads
 * together. Paths come in order of first appearance; those without such a row are left out.
 */
export function entropyHistograms(captured: readonly CapturedAttention[], bins?: number): Map<string, Histogram> {
  const ratios = new Map<string, number[]>();
  for (const capture of captured) {
    const known = ratios.get(capture.path) ?? [];
    ratios.set(capture.path, known);
    for (const ratio of rowRatios(capture)) known.push(ratio);
  }
  return new Map(
    [...ratios].filter(([, rows]) => rows.length > 0).map(([path, rows]) => [path, histogramOf(rows, bins)]),
  );
}

/** Padded queries, where they are known, are left out. */
function* rowRatios({ record, expected }: CapturedAttention): Generator<number> {
  const { heads: H, queries: L, statistics } = record;
  for (const [row, count] of statistics.keys.entries()) {
    const length = expected?.queryLengths?.[Math.floor(row / (H * L))] ?? L; // row = (b·H + h)·L + i
    if (count >= 2 && row % L < length) yield (statistics.entropyNats[row] ?? Number.NaN) / Math.log(count);
  }
}
