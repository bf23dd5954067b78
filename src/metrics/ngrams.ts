/** Runs of neighbouring symbols, counted: what BLEU, chrF and ROUGE are made of. */

/** How often each run of n symbols occurs. */
export type NgramCounts = ReadonlyMap<string, number>;

/** Counts the runs of `n` symbols. Symbols must not contain the separator. */
export function countNgrams(symbols: readonly string[], n: number, separator = ' '): NgramCounts {
  const counts = new Map<string, number>();
  for (let start = 0; start + n <= symbols.length; start++) {
    const key = symbols.slice(start, start + n).join(separator);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Runs that both have, each as often as both have it. */
export function overlap(a: NgramCounts, b: NgramCounts): number {
  let shared = 0;
  for (const [key, count] of a) shared += Math.min(count, b.get(key) ?? 0);
  return shared;
}

/** Runs counted, equal ones included. */
export function total(counts: NgramCounts): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

/** White space as Python's `str.split` knows it, which the published definitions rest on. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python counts four of them as white space
const whiteSpace = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** Words between white space. */
export function words(text: string): string[] {
  return text.split(whiteSpace).filter((word) => word !== '');
}
