/**
 * Which head to show first: the one whose attention says most about the query.
 *
 * Measured by the mutual information of query and key under a uniform query, in nats: entropy of the mean row minus the
 * mean entropy of the rows. A head that spreads everywhere and a head that always looks at one key both have none.
 */

import type { AttentionPicture } from '../core/records.js';
import type { Weights } from './heatMap.js';

/** Names one head of a model. */
export type HeadName = Pick<AttentionPicture, 'path' | 'head'>;

function entropyNats(weights: readonly number[]): number {
  return weights.reduce((sum, weight) => (weight > 0 ? sum - weight * Math.log(weight) : sum), 0);
}

/** Mutual information of query and key, in nats; masked pairs count as weight 0. */
export function selectivityNats({ columns, weights }: Weights): number {
  const mean = columns.map((_, c) => weights.reduce((sum, row) => sum + (row[c] || 0), 0) / weights.length);
  const within = weights.reduce((sum, row) => sum + entropyNats(row), 0) / weights.length;
  return entropyNats(mean) - within;
}

/** The head with the highest mean selectivity over all its pictures; undefined without pictures. */
export function mostSelective(pictures: readonly AttentionPicture[]): HeadName | undefined {
  const totals = new Map<string, { readonly name: HeadName; sum: number; count: number }>();
  for (const picture of pictures) {
    const key = `${picture.path}:${picture.head}`;
    const total = totals.get(key) ?? { name: { path: picture.path, head: picture.head }, sum: 0, count: 0 };
    total.sum += selectivityNats(picture);
    total.count++;
    totals.set(key, total);
  }
  const ranked = [...totals.values()].sort((a, b) => b.sum / b.count - a.sum / a.count);
  return ranked[0]?.name;
}

/** The head with the largest mean absolute value, for differences of two; undefined without pictures. */
export function mostChanged(pictures: readonly AttentionPicture[]): HeadName | undefined {
  const change = ({ weights }: Weights): number =>
    weights.flat().reduce((sum, value) => sum + Math.abs(value || 0), 0) / weights.flat().length;
  const [first] = pictures.map((picture) => [picture, change(picture)] as const).sort((a, b) => b[1] - a[1]);
  return first && { path: first[0].path, head: first[0].head };
}
