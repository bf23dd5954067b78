/** How evenly rows spread their attention, as one histogram a module. Means for each head: attentionSummary.ts. */

import type { CapturedAttention } from '../core/records.js';
import { type Histogram, histogramOf } from '../metrics/histogram.js';

/**
 * Of every module path, the histogram of entropy / ln n over rows with n ≥ 2 allowed keys, in [0, 1], all heads
 * together. Paths come in order of first appearance; those without such a row are left out.
 */
export function entropyHistograms(captured: readonly CapturedAttention[], bins?: number): Map<string, Histogram> {
  const ratios = new Map<string, number[]>();
  for (const { path, record } of captured) {
    const known = ratios.get(path) ?? [];
    ratios.set(path, known);
    for (const ratio of rowRatios(record)) known.push(ratio);
  }
  return new Map(
    [...ratios].filter(([, rows]) => rows.length > 0).map(([path, rows]) => [path, histogramOf(rows, bins)]),
  );
}

function* rowRatios({ statistics: { keys, entropyNats } }: CapturedAttention['record']): Generator<number> {
  for (const [row, count] of keys.entries()) if (count >= 2) yield (entropyNats[row] ?? Number.NaN) / Math.log(count);
}
