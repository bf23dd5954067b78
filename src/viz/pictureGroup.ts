/**
 * Sorts pictures into groups that share their axes (all heads of one stack for one text) and adds the means that a
 * reader wants to see first.
 */

import type { AttentionKind, AttentionPicture } from '../core/records.js';
import type { Scale } from './client/shared.js';
import { checkWeights, commonMaximum, type Weights } from './heatMap.js';
import { placeOf } from './place.js';

/** One small picture of a group, at its place in the grid of layers by heads. */
export interface GroupEntry {
  readonly label: string;
  readonly row: number;
  readonly column: number;
  readonly picture: Weights;
  /** The picture again where it is one head's, absent for means. */
  readonly head?: AttentionPicture;
}

/** All heads of one stack for one text. */
export interface PictureGroup {
  readonly stack: string;
  readonly kind: AttentionKind;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Names of the grid's rows and columns. */
  readonly rowNames: readonly string[];
  readonly columnNames: readonly string[];
  /** Row by row; with several heads a mean for each layer, with several layers the mean of all as the last. */
  readonly entries: readonly GroupEntry[];
  /** What takes the last colour, for all entries. */
  readonly maximum: number;
  /** `difference` when the entries are differences of two, else linear. */
  readonly scale: Scale;
}

/** Mean over pictures, pair by pair; NaN only where all are masked. */
export function meanPicture(pictures: readonly Weights[]): Weights {
  const [first] = pictures;
  if (!first) return { rows: [], columns: [], weights: [] };
  const weights = first.rows.map((_, r) =>
    first.columns.map((_, c) => {
      const values = pictures.map((picture) => picture.weights[r]?.[c] ?? Number.NaN).filter((w) => !Number.isNaN(w));
      return values.length === 0 ? Number.NaN : values.reduce((sum, w) => sum + w, 0) / values.length;
    }),
  );
  return { rows: first.rows, columns: first.columns, weights };
}

/** `items` by key, both in order of appearance. */
export function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups.values()];
}

function layerEntries(pictures: readonly AttentionPicture[], row: number, heads: readonly number[]): GroupEntry[] {
  const { layer } = placeOf(pictures[0]?.path ?? '');
  const own = pictures.map((picture) => ({
    label: `${layer}, head ${picture.head}`,
    row,
    column: heads.indexOf(picture.head),
    picture,
    head: picture,
  }));
  if (heads.length < 2) return own;
  const mean = { label: `${layer}, mean of ${pictures.length} heads`, row, column: heads.length };
  return [...own, { ...mean, picture: meanPicture(pictures) }];
}

function groupOf(pictures: readonly AttentionPicture[], scale: Scale): PictureGroup {
  const first = pictures[0] as AttentionPicture;
  const heads = [...new Set(pictures.map(({ head }) => head))].sort((a, b) => a - b);
  const layers = groupBy(pictures, ({ path }) => path);
  const entries = layers.flatMap((layer, row) => layerEntries(layer, row, heads));
  const means = layers.length > 1 && heads.length > 1;
  if (means) {
    const label = `mean of ${layers.length} layers x ${heads.length} heads`;
    entries.push({ label, row: layers.length, column: heads.length, picture: meanPicture(pictures) });
  }
  return {
    stack: placeOf(first.path).stack,
    kind: first.kind,
    rows: first.rows,
    columns: first.columns,
    rowNames: [...layers.map((layer) => placeOf(layer[0]?.path ?? '').layer), ...(means ? ['all'] : [])],
    columnNames: [...heads.map((head) => `head ${head}`), ...(heads.length > 1 ? ['mean'] : [])],
    entries,
    maximum: commonMaximum(pictures),
    scale,
  };
}

/** Groups in order of appearance, cross-attention first: it is what a person can judge. Errors: ShapeError, UsageError. */
export function groupPictures(pictures: readonly AttentionPicture[], scale: Scale = 'linear'): PictureGroup[] {
  for (const picture of pictures) checkWeights('pictures', picture);
  const groups = groupBy(pictures, ({ path, rows, columns }) => JSON.stringify([placeOf(path).stack, rows, columns]));
  return groups
    .map((group) => groupOf(group, scale))
    .sort((a, b) => Number(b.kind === 'cross') - Number(a.kind === 'cross'));
}
