/**
 * The difference of two: the same heads on two checkpoints, of two models, or on two inputs. Drawn on the diverging
 * scale (`difference: true` of AttentionFigure, inspect.ts).
 */

import { ShapeError, UsageError } from '../core/errors.js';
import type { AttentionPicture } from '../core/records.js';

/**
 * `after - before`, head by head and pair by pair, NaN where either masks the pair. Heads that only one side has are left
 * out. Where tokens differ, an axis shows both, `dog | cat`.
 *
 * Errors: UsageError without a common head; ShapeError for a head whose pictures differ in size.
 */
export function differencePictures(
  after: readonly AttentionPicture[],
  before: readonly AttentionPicture[],
): AttentionPicture[] {
  const known = new Map(before.map((picture) => [nameOf(picture), picture]));
  const pairs = after.flatMap((picture) => {
    const other = known.get(nameOf(picture));
    return other ? [[picture, other] as const] : [];
  });
  if (pairs.length > 0) return pairs.map(([picture, other]) => difference(picture, other));
  const names = [after, before].map((side) => side.map(nameOf).slice(0, 3).join(', ') || 'none');
  throw new UsageError(`difference: expected a head that both have, got ${names[0]} and ${names[1]}`);
}

function nameOf({ path, head }: AttentionPicture): string {
  return `${path} head ${head}`;
}

function difference(after: AttentionPicture, before: AttentionPicture): AttentionPicture {
  requireEqual(after, before);
  return {
    ...after,
    rows: bothTokens(after.rows, before.rows),
    columns: bothTokens(after.columns, before.columns),
    weights: after.weights.map((row, r) => row.map((weight, c) => weight - (before.weights[r]?.[c] ?? Number.NaN))),
  };
}

function requireEqual(after: AttentionPicture, before: AttentionPicture): void {
  const [found, expected] = [after, before].map(({ rows, columns }) => `[${rows.length}, ${columns.length}]`);
  if (found === expected) return;
  throw new ShapeError(
    `difference: expected weights [rows, columns] = ${expected} in ${nameOf(after)}, got ${found}; compare inputs of as many tokens`,
  );
}

function bothTokens(after: readonly string[], before: readonly string[]): string[] {
  return after.map((token, at) => (token === before[at] ? token : `${token} | ${before[at] ?? ''}`));
}
