/**
 * The map of a mask: blocks of queries down, blocks of keys across. Empty blocks stay blank, partial ones are hatched,
 * full ones are filled, so that they differ without colour. Not a heat map: it shows what may attend, not what does.
 */

import { ShapeError } from '../core/errors.js';
import type { MaskPicture } from '../core/records.js';
import { type Drawing, element, label, moved, shape } from './markup.js';
import { svgDocument } from './svgDocument.js';
import type { Theme } from './theme.js';

export interface MaskMapOptions {
  /** Pixels of the longer side; default 240. */
  readonly size?: number;
  /** Default `auto`. */
  readonly theme?: Theme;
}

type Kinds = MaskPicture['kinds'];

/** How the kinds are drawn, in the order of the legend: blank, hatched with the first line colour, filled with it. */
const marks = {
  empty: { fill: 'none' },
  partial: { fill: 'url(#keyhole-partial)' },
  full: { class: 'd0' },
} as const;

/** Not the hatching of heat maps, which says that a pair is masked. */
const hatching = element(
  'defs',
  {},
  element(
    'pattern',
    { id: 'keyhole-partial', width: 4, height: 4, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' },
    shape('line', { class: 's0', x1: 0, y1: 0, x2: 0, y2: 4, 'stroke-width': 2.4 }),
  ),
);

/**
 * A map of blocks as a complete SVG file.
 *
 * Errors: ShapeError for a map without blocks or with rows of different lengths.
 *
 * @example
 * const svg = maskMapSvg(maskPicture(compileMask(causal(), { L: 1024 }), { name: 'causal' }));
 */
export function maskMapSvg(picture: MaskPicture, { size = 240, theme }: MaskMapOptions = {}): string {
  const { kinds, name } = picture;
  const columns = kinds[0]?.length ?? 0;
  if (columns === 0 || kinds.some((row) => row.length !== columns))
    throw new ShapeError(`maskMapSvg: expected rows of one length with at least one block, got ${kinds.length} rows`);
  return svgDocument(draw(picture, size / Math.max(kinds.length, columns)), {
    title: `Mask: ${name}`,
    description: describe(picture),
    ...(theme ? { theme } : {}),
  });
}

function draw({ kinds, block, name }: MaskPicture, cell: number): Drawing {
  const [width, height] = [(kinds[0]?.length ?? 0) * cell, kinds.length * cell];
  const [left, top] = [20, 44];
  const frame = shape('rect', { class: 'frame', x: 0, y: 0, width, height });
  const body = [
    hatching,
    label(name, { x: left, y: 16 }),
    label(`keys, ${block[1]} a block`, { class: 'muted', x: left, y: 36 }),
    element(
      'g',
      { transform: `translate(8 ${top}) rotate(90)` },
      label(`queries, ${block[0]} a block`, { class: 'muted', x: 0, y: 6 }),
    ),
    moved(left, top, cells(kinds, cell) + frame),
    moved(left, top + height + 14, legend()),
  ].join('');
  return { width: Math.max(left + width, 220) + 8, height: top + height + 34, body };
}

/** One rectangle for each run of blocks of a kind. */
function cells(kinds: Kinds, cell: number): string {
  return kinds
    .flatMap((row, y) =>
      runs(row).map(({ kind, start, end }) =>
        kind === 'empty'
          ? ''
          : shape('rect', { ...marks[kind], x: start * cell, y: y * cell, width: (end - start) * cell, height: cell }),
      ),
    )
    .join('');
}

interface Run {
  readonly kind: keyof typeof marks;
  readonly start: number;
  readonly end: number;
}

function runs(row: Kinds[number]): Run[] {
  const starts = row.flatMap((kind, at) => (at === 0 || kind !== row[at - 1] ? [at] : []));
  return starts.map((start, n) => ({ kind: row[start] as Run['kind'], start, end: starts[n + 1] ?? row.length }));
}

function legend(): string {
  return Object.entries(marks)
    .map(([kind, mark], n) =>
      moved(
        n * 70,
        0,
        [
          shape('rect', { ...mark, x: 0, y: 0, width: 12, height: 12 }),
          shape('rect', { class: 'frame', x: 0, y: 0, width: 12, height: 12 }),
          label(kind, { class: 'muted', x: 17, y: 10 }),
        ].join(''),
      ),
    )
    .join('');
}

function describe({ kinds, block }: MaskPicture): string {
  const count = (wanted: keyof typeof marks): number => kinds.flat().filter((kind) => kind === wanted).length;
  const shares = (Object.keys(marks) as (keyof typeof marks)[]).map((kind) => `${count(kind)} ${kind}`);
  return `${kinds.length} x ${kinds[0]?.length ?? 0} blocks of ${block[0]} queries and ${block[1]} keys: ${shares.join(', ')}.`;
}
