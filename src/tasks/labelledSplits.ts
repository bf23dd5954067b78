/** Texts in three parts, with everything that is nearly the same on one side. */

import { type NearDuplicateOptions, nearDuplicates } from '../data/nearDuplicates.js';
import type { Split, SplitRatios } from '../data/split.js';
import { splitOf } from '../data/split.js';

/**
 * Parts by the hash of the first text of each group of near-duplicates, so that the order of the groups does not matter.
 * Also returns how many texts have a near-duplicate.
 */
export function splitApart<Item extends { readonly text: string }>(
  texts: readonly Item[],
  split: (text: string) => readonly string[],
  ratios: SplitRatios,
  options: NearDuplicateOptions = {},
): { readonly splits: Record<Split, Item[]>; readonly grouped: number } {
  const groups = nearDuplicates(
    texts.map(({ text }) => split(text)),
    options,
  );
  const splits: Record<Split, Item[]> = { train: [], validation: [], test: [] };
  for (const [index, text] of texts.entries()) {
    const { text: key } = texts[groups[index] as number] as Item;
    splits[splitOf(key, ratios)].push(text);
  }
  const sizes = new Map<number, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return { splits, grouped: groups.filter((group) => (sizes.get(group) ?? 0) > 1).length };
}
