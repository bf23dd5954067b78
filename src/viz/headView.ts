/**
 * The head view: queries in the left column, keys in the right, a line a pair whose opacity is the weight, a colour a head.
 * In a page, heads, threshold, part and token choose which lines are seen (client/headView.ts).
 */

import { ShapeError } from '../core/errors.js';
import type { AttentionPicture } from '../core/records.js';
import type { HeadViewData } from './client/data.js';
import { headLines, partNames } from './client/lines.js';
import { encodeFloats } from './encodeFloats.js';
import { checkWeights } from './heatMap.js';
import { type Drawing, element, label, moved, shape, text } from './markup.js';
import type { Figure } from './panel.js';
import { placeOf } from './place.js';
import { svgDocument, svgFragment } from './svgDocument.js';
import { seriesColours, type Theme } from './theme.js';
import { describedText, visibleText } from './visibleText.js';

/** Heads of one layer on one text. */
export interface HeadView {
  /** At least one; all share their tokens. */
  readonly heads: readonly AttentionPicture[];
  /** Where a second text begins, on both axes of self-attention. */
  readonly split?: number;
  /** Weights below are not drawn; default 0.05. */
  readonly threshold?: number;
  /** In a page: paths of the layers of which one is seen, and whether this one is not at first. */
  readonly paths?: readonly string[];
  readonly hidden?: boolean;
}

const lineHeight = 22;
const top = 30;
const advance = 7.9;
/** Width of the space that lines cross. */
const crossing = 230;

/** Characters of the longest token, as shown. */
function longest(tokens: readonly string[]): number {
  return tokens.reduce((most, token) => Math.max(most, Array.from(visibleText(token, 12)).length), 1);
}

function column(tokens: readonly string[], x: number, side: 'row' | 'column', split?: number): string {
  const anchor = side === 'row' ? 'end' : 'start';
  const names = tokens.map((token, index) => {
    const y = (index + 0.5) * lineHeight;
    const at = { class: `token ${side}-token`, x, y: y + 4.5, 'text-anchor': anchor, style: 'font-size:13px' };
    return label(visibleText(token, 12), at);
  });
  const edge = side === 'row' ? x - 60 : x;
  const parting =
    split === undefined
      ? ''
      : shape('line', { class: 'parting', x1: edge, x2: edge + 60, y1: split * lineHeight, y2: split * lineHeight });
  return names.join('') + parting;
}

/** Checks that heads share their tokens. Errors: ShapeError. */
function checkHeads({ heads }: HeadView): AttentionPicture {
  const [first] = heads;
  if (first === undefined) throw new ShapeError('headView: expected at least one head, got none; select another layer');
  for (const picture of heads) {
    checkWeights('headView', picture);
    if (picture.rows.length === first.rows.length && picture.columns.length === first.columns.length) continue;
    throw new ShapeError(
      `headView: expected heads of [${first.rows.length}, ${first.columns.length}], got [${picture.rows.length}, ${picture.columns.length}]; select one layer`,
    );
  }
  return first;
}

/** Draws the lines of all heads. Errors: ShapeError for no head or heads that differ; UsageError when too large. */
export function drawHeadView(view: HeadView): Drawing {
  const { rows, columns } = checkHeads(view);
  const { heads, split, threshold = 0.05 } = view;
  const [left, right] = [rows, columns].map((tokens) => 12 + longest(tokens) * advance);
  const x = left ?? 0;
  const lines = heads.map((picture, index) =>
    element(
      'g',
      { class: `lines s${index % seriesColours}`, 'data-head': index },
      ...headLines(picture.weights.flat(), columns.length, { threshold, width: crossing, height: lineHeight }).map(
        ({ d, opacity }) => shape('path', { d, opacity }),
      ),
    ),
  );
  const names = heads.map(({ head }, index) =>
    moved(
      index * 66,
      14,
      shape('line', { class: `curve s${index % seriesColours}`, x1: 0, x2: 14, y1: -4, y2: -4 }) +
        label(`head ${head}`, { x: 18, y: 0 }),
    ),
  );
  const body = [
    element('g', { class: 'names', 'aria-hidden': 'true' }, ...names),
    moved(x + 8, top, element('g', { class: 'crossing' }, ...lines)),
    moved(0, top, column(rows, x, 'row', split)),
    moved(0, top, column(columns, x + crossing + 16, 'column', split)),
  ];
  return {
    width: Math.max(x + crossing + 16 + (right ?? 0), heads.length * 66),
    height: top + lineHeight * Math.max(rows.length, columns.length) + 6,
    body: body.join(''),
  };
}

/** The head view as a complete SVG file. Errors: as drawHeadView. */
export function headViewSvg(view: HeadView, options: { readonly theme?: Theme } = {}): string {
  const { path, rows, columns } = checkHeads(view);
  const { stack, layer } = placeOf(path);
  const { width, height, body } = drawHeadView(view);
  const margin = 16;
  const drawing = { width: width + 2 * margin, height: height + 2 * margin, body: moved(margin, margin, body) };
  return svgDocument(drawing, {
    title: `${stack}, ${layer}, ${view.heads.length} heads`,
    description: `Lines from ${rows.length} queries to ${columns.length} keys; the stronger the weight, the more opaque.`,
    ...options,
  });
}

/** The head view in a page, with its filters. */
export function renderHeadView(view: HeadView): Figure<HeadViewData> {
  const first = checkHeads(view);
  const { stack, layer } = placeOf(first.path);
  const title = `${stack}, ${layer}: lines`;
  const svg = svgFragment(drawHeadView(view), { role: 'group', 'aria-label': `${title}; arrow keys choose a token` });
  const html = element(
    'section',
    { class: 'head-view', 'aria-label': title, hidden: view.hidden ? '' : undefined },
    element('h3', {}, text(title)),
    filters(view),
    element('div', { class: 'scroll' }, svg),
    element('output', { 'aria-live': 'polite' }, 'Point at a token, or use the arrow keys, to see only its lines.'),
  );
  const data = {
    path: first.path,
    paths: view.paths ?? [first.path],
    rows: first.rows.map((token) => describedText(token)),
    columns: first.columns.map((token) => describedText(token)),
    split: view.split ?? null,
    width: crossing,
    height: lineHeight,
    heads: view.heads.map(({ head, weights }) => ({ head, weights: encodeFloats(weights.flat(), 3) })),
  };
  return { html, data };
}

function filters({ heads, split, threshold = 0.05 }: HeadView): string {
  const boxes = heads.map(({ head }, index) => {
    const box = shape('input', { type: 'checkbox', checked: 'checked', 'data-head': index });
    return element('label', {}, box, element('span', { class: `swatch b${index % seriesColours}` }), text(` ${head}`));
  });
  const range = shape('input', { type: 'range', min: 0, max: 1, step: 0.01, value: threshold, 'data-threshold': '' });
  const parts = partNames.map((name) => element('option', {}, name));
  const part = element('label', {}, 'pairs ', element('select', { 'data-part': '' }, ...parts));
  return element(
    'div',
    { class: 'tools' },
    element('span', { role: 'group', 'aria-label': 'Heads' }, 'heads', ...boxes),
    element('label', {}, 'threshold ', range, element('span', { class: 'threshold' }, String(threshold))),
    split === undefined ? '' : part,
  );
}
