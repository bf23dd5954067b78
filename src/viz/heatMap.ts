/**
 * The heat map of one head: queries down, keys across, colour for weight, hatching where the mask forbids.
 *
 * The same drawing serves files (every cell titled), and pages (cells that can be focused and repainted, panel.ts).
 */

import { ShapeError, UsageError } from '../core/errors.js';
import type { AttentionPicture } from '../core/records.js';
import { cellText, colourClass, type Scale } from './client/shared.js';
import { storedWeight } from './encodeFloats.js';
import { legend } from './legend.js';
import { type Attributes, type Drawing, element, label, moved, shape, text } from './markup.js';
import { placeOf } from './place.js';
import { svgDocument } from './svgDocument.js';
import type { Theme } from './theme.js';
import { columnLabels, columnRoom, rowLabels, tokenAxis } from './tokens.js';
import { describedText } from './visibleText.js';

/** What a heat map shows; an AttentionPicture is one. */
export type Weights = Pick<AttentionPicture, 'rows' | 'columns' | 'weights'>;

export interface HeatMapOptions {
  /** What the query tokens are, such as `sounds`; default `queries`. */
  readonly rowTitle?: string;
  /** What the key tokens are, such as `letters`; default `keys`. */
  readonly columnTitle?: string;
  /** The weight that takes the last colour; default the picture's peak, rounded up. */
  readonly maximum?: number;
  /** Default linear. `logarithmic` spans four decades below the maximum; `difference` is for differences of two. */
  readonly scale?: Scale;
  /** Cells for a page: named, focusable, one tab stop. Default false: each cell carries its value as a title. */
  readonly interactive?: boolean;
}

type CellOptions = Pick<HeatMapOptions, 'maximum' | 'scale' | 'interactive'>;

/** Most tokens an axis can carry legibly. */
const mostTokens = 256;

/** Checks that weights fit their tokens. Errors: ShapeError, and UsageError for a picture too large to draw. */
export function checkWeights(caller: string, { rows, columns, weights }: Weights): void {
  const wrong = weights.find((row) => row.length !== columns.length);
  if (rows.length === 0 || columns.length === 0 || weights.length !== rows.length || wrong) {
    const found = `[${weights.length}, ${wrong?.length ?? weights[0]?.length ?? 0}]`;
    throw new ShapeError(
      `${caller}: expected weights [rows, columns] = [${rows.length}, ${columns.length}] with at least one each, got ${found}`,
    );
  }
  if (Math.max(rows.length, columns.length) > mostTokens) {
    throw new UsageError(
      `${caller}: expected at most ${mostTokens} tokens an axis, got ${rows.length} x ${columns.length}; select a part of the text`,
    );
  }
}

/** The highest weight, rounded up to a round number of at most 1: a common scale for pictures that are compared. */
export function commonMaximum(pictures: readonly Pick<Weights, 'weights'>[]): number {
  let peak = 0;
  for (const { weights } of pictures)
    for (const row of weights) for (const w of row) if (Math.abs(w) > peak) peak = Math.abs(w);
  const steps = [0.1, 0.2, 0.4, 0.6, 0.8];
  return steps.find((step) => peak <= step) ?? 1;
}

/** Side of a cell: generous for words, small but visible for a hundred tokens. */
function cellSize(tokens: number): number {
  return Math.max(7, Math.min(34, 460 / tokens));
}

function cells(picture: Weights, cell: number, options: Required<CellOptions>): string {
  const { maximum, scale, interactive } = options;
  const gap = cell >= 14 ? 1 : 0;
  const columns = picture.columns.map((token) => describedText(token));
  const side = cell - gap;
  const style = `--side:${side.toFixed(2)}px`; // pageStyle.ts; said once a row
  return picture.weights
    .map((weights, r) => {
      const row = describedText(picture.rows[r] ?? '');
      const rects = weights.map((weight, c) => {
        const colour = colourClass(storedWeight(weight), maximum, scale);
        const at: Attributes = { class: `cell ${colour}`, x: c * cell, y: r * cell };
        const name = cellText(row, columns[c] ?? '', storedWeight(weight), scale);
        if (!interactive)
          return element('rect', { ...at, width: side, height: side }, element('title', {}, text(name)));
        return shape('rect', { ...at, role: 'gridcell', tabindex: r + c === 0 ? 0 : undefined, 'aria-label': name });
      });
      return element('g', interactive ? { role: 'row', style } : {}, ...rects);
    })
    .join('');
}

/** Titles of both axes; decoration for screen readers, which hear the tokens cell by cell. */
function axisTitles(options: HeatMapOptions, width: number, height: number, left: number, top: number): string {
  const columnTitle = label(options.columnTitle ?? 'keys', {
    class: 'axis',
    x: width / 2,
    y: 12 - top,
    'text-anchor': 'middle',
  });
  const middle = height / 2;
  const x = 11 - left;
  const rowTitle = label(options.rowTitle ?? 'queries', {
    class: 'axis',
    x,
    y: middle,
    transform: `rotate(-90 ${x.toFixed(2)} ${middle.toFixed(2)})`,
    'text-anchor': 'middle',
  });
  return columnTitle + rowTitle;
}

/** Draws the weights with axes and colour bar. Errors: ShapeError, UsageError. */
export function drawHeatMap(picture: Weights, options: HeatMapOptions = {}): Drawing {
  checkWeights('heatMap', picture);
  const { maximum = commonMaximum([picture]), scale = 'linear', interactive = false } = options;
  const cell = cellSize(Math.max(picture.rows.length, picture.columns.length));
  const rowAxis = tokenAxis(picture.rows, cell);
  const columnAxis = tokenAxis(picture.columns, cell);
  const left = 20 + rowAxis.length + 8;
  const top = 20 + columnRoom(columnAxis, cell) + 8;
  const width = picture.columns.length * cell;
  const height = picture.rows.length * cell;
  const masked = picture.weights.some((row) => row.some(Number.isNaN));
  const scales = interactive && scale === 'linear' ? (['linear', 'logarithmic'] as const) : [scale];
  const bar = legend(maximum, height, masked, scales);
  const map = [
    element(
      'g',
      interactive ? { 'aria-hidden': 'true' } : {},
      axisTitles(options, width, height, left, top),
      moved(-8, 0, rowLabels(rowAxis, cell)),
      moved(0, -7, columnLabels(columnAxis, cell)),
      moved(width + 22, 0, bar.body),
    ),
    cells(picture, cell, { maximum, scale, interactive }),
  ].join('');
  return {
    width: left + width + 22 + bar.width,
    height: top + Math.max(height, bar.height) + 4,
    body: moved(left, top, map),
  };
}

/** What a picture shows, in words: size, where the mask is, the strongest pair of each row. */
export function describeWeights({ rows, columns, weights }: Weights): string {
  const pairs = rows.slice(0, 40).map((row, r) => {
    const values = (weights[r] ?? []).map((weight) => (Number.isNaN(weight) ? -1 : weight));
    const best = values.indexOf(Math.max(...values));
    return `${describedText(row, 12)} most to ${describedText(columns[best] ?? '', 12)}`;
  });
  return `Attention weights of ${rows.length} queries over ${columns.length} keys: ${pairs.join(', ')}.`;
}

/**
 * One head as a complete SVG file, with its values as cell titles.
 *
 * Errors: ShapeError when weights and tokens differ in size; UsageError above 256 tokens an axis.
 */
export function heatMapSvg(
  picture: AttentionPicture,
  options: HeatMapOptions & { readonly theme?: Theme } = {},
): string {
  const { stack, layer } = placeOf(picture.path);
  return svgDocument(drawHeatMap(picture, options), {
    title: `${stack}, ${layer}, head ${picture.head}`,
    description: describeWeights(picture),
    ...(options.theme ? { theme: options.theme } : {}),
  });
}
