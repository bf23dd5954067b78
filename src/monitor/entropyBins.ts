/** The bins in which rows are counted by normalised entropy, in logs and wherever two logs are compared. */

/** Bins of equal width over [0, 1]. Ten is the usual number for a population stability index. */
export const entropyBins = 10;

/** The bin of a ratio; rounding may leave [0, 1] by a little. Undefined for NaN. */
export function entropyBin(ratio: number): number | undefined {
  return Number.isNaN(ratio) ? undefined : Math.min(entropyBins - 1, Math.max(0, Math.floor(ratio * entropyBins)));
}
