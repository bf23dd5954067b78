/**
 * Which part of the data an example belongs to, from a hash of its key alone: no list to store, no order to keep, and
 * an example never changes sides when others come or go.
 */

import { StateError } from '../core/errors.js';
import { hash32 } from '../core/hash.js';

export type Split = 'train' | 'validation' | 'test';

/** Shares of the parts, in any unit. */
export type SplitRatios = Readonly<Record<Split, number>>;

/** 90 % to learn from, 5 % to steer by, 5 % to report. */
export const defaultRatios: SplitRatios = { train: 90, validation: 5, test: 5 };

/**
 * The part that `key` falls into. Everything with one key stays together: use the base word for a word's variants.
 *
 * Not prevented: keys that differ but resemble each other. `walk`, `walks` and `walk's` are three keys and may fall on
 * three sides, so held-out results on a dictionary are for words whose relatives may have been learnt. Published
 * results on CMUdict share this property.
 *
 * Errors: StateError for ratios that are negative, not finite, or all 0.
 */
export function splitOf(key: string, ratios: SplitRatios = defaultRatios): Split {
  const { train, validation, test } = ratios;
  const total = train + validation + test;
  if (!(Math.min(train, validation, test) >= 0 && total > 0 && total < Number.POSITIVE_INFINITY)) {
    throw new StateError(`splitOf: expected ratios >= 0 with a positive sum, got ${train}/${validation}/${test}`);
  }
  const place = (hash32(`split/${key}`) / 2 ** 32) * total;
  if (place < train) return 'train';
  return place < train + validation ? 'validation' : 'test';
}

/** All three parts of `items`, each in the order of `items`. */
export function splitBy<Item>(
  items: Iterable<Item>,
  keyOf: (item: Item) => string,
  ratios: SplitRatios = defaultRatios,
): Record<Split, Item[]> {
  const parts: Record<Split, Item[]> = { train: [], validation: [], test: [] };
  for (const item of items) parts[splitOf(keyOf(item), ratios)].push(item);
  return parts;
}
