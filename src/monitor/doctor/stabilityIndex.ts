/** The population stability index: how far two histograms are apart. */

/** Added to every bin, so that an empty one does not make the index infinite. */
const smoothing = 0.5;

/**
 * `Σ (p - q)·ln(p / q)` over the bins, each with half a count added, less `(bins - 1)·(1/n + 1/m)`, which is what it
 * comes to on average when both histograms are samples of one distribution (Yurdakul 2018). Never below 0.
 */
export function stabilityIndex(here: readonly number[], there: readonly number[]): number {
  const [p, q] = [sharesOf(here), sharesOf(there)];
  const distance = p.shares.reduce((sum, share, bin) => {
    const other = q.shares[bin] ?? Number.NaN;
    return sum + (share - other) * Math.log(share / other);
  }, 0);
  return Math.max(0, distance - (here.length - 1) * (1 / p.total + 1 / q.total));
}

function sharesOf(counts: readonly number[]): { readonly shares: readonly number[]; readonly total: number } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return { total, shares: counts.map((count) => (count + smoothing) / (total + smoothing * counts.length)) };
}
