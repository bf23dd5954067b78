/**
 * Token labels on the axes of pictures: how long they may be, how much room they take, when they must be turned.
 */

import { label } from './markup.js';
import { visibleText } from './visibleText.js';

/** Longest label on an axis, in characters; the full text is one hover away. */
const longestLabel = 12;

/** Advance of the monospaced faces of theme.ts, as a part of the font size (DejaVu Sans Mono: 0.602). */
const advance = 0.61;

/** Labels for an axis whose cells are `cell` pixels wide. */
export interface TokenAxis {
  readonly labels: readonly string[];
  readonly fontSize: number;
  /** Length of the longest label in pixels. */
  readonly length: number;
}

export function tokenAxis(tokens: readonly string[], cell: number): TokenAxis {
  const labels = tokens.map((token) => visibleText(token, longestLabel));
  const fontSize = Math.max(6, Math.min(13, 0.8 * cell));
  const longest = labels.reduce((most, one) => Math.max(most, Array.from(one).length), 1);
  return { labels, fontSize, length: longest * fontSize * advance };
}

/** Labels beside the rows, right-aligned at x = 0, the first row starting at y = 0. */
export function rowLabels({ labels, fontSize }: TokenAxis, cell: number): string {
  return labels
    .map((content, row) =>
      label(content, {
        class: 'token row-token',
        x: 0,
        y: (row + 0.5) * cell + 0.35 * fontSize,
        'text-anchor': 'end',
        style: `font-size:${fontSize.toFixed(1)}px`,
      }),
    )
    .join('');
}

/** Height that the labels above the columns take: only those wider than their column stand upright. */
export function columnRoom(axis: TokenAxis, cell: number): number {
  return turned(axis.length, cell) ? axis.length : axis.fontSize;
}

function turned(length: number, cell: number): boolean {
  return length > cell - 2;
}

/** Labels above the columns, standing on y = 0, the first column starting at x = 0. */
export function columnLabels({ labels, fontSize }: TokenAxis, cell: number): string {
  const style = `font-size:${fontSize.toFixed(1)}px`;
  return labels
    .map((content, column) => {
      const x = (column + 0.5) * cell;
      const flat = !turned(Array.from(content).length * fontSize * advance, cell);
      if (flat) return label(content, { class: 'token column-token', x, y: 0, 'text-anchor': 'middle', style });
      const baseline = x + 0.35 * fontSize;
      const transform = `rotate(-90 ${baseline.toFixed(2)} 0)`;
      return label(content, { class: 'token column-token', x: baseline, y: 0, transform, style });
    })
    .join('');
}
