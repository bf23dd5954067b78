/** How many changes turn one sequence into another, and which known name someone probably meant. */

/**
 * Levenshtein distance: the fewest insertions, deletions and substitutions, each of cost 1.
 *
 * O(N·M) time, O(M) memory. Texts are compared by UTF-16 code unit. Source: Wagner and Fischer 1974.
 */
export function editDistance<Symbol>(a: ArrayLike<Symbol>, b: ArrayLike<Symbol>): number {
  // distances[j] holds the distance between a's first i symbols and b's first j.
  const distances = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    let diagonal = i - 1;
    distances[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const above = distances[j] ?? 0;
      const substituted = diagonal + (a[i - 1] === b[j - 1] ? 0 : 1);
      distances[j] = Math.min(substituted, above + 1, (distances[j - 1] ?? 0) + 1);
      diagonal = above;
    }
  }
  return distances[b.length] ?? 0;
}

/** The name closest to `text`, the first of equals; undefined when nothing is known. For "did you mean …?". */
export function nearest(text: string, known: Iterable<string>): string | undefined {
  let best: { readonly name: string; readonly distance: number } | undefined;
  for (const name of known) {
    const distance = editDistance(text, name);
    if (best === undefined || distance < best.distance) best = { name, distance };
  }
  return best?.name;
}
