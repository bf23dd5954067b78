/**
 * A heat map in the terminal: one line a query, Unicode blocks for weights, tokens as they can safely be shown. Plain
 * text without colours or control codes, so it can be piped. The same picture as a drawing: heatMap.ts.
 */

import { UsageError } from '../core/errors.js';
import { levelOf } from './client/shared.js';
import { checkWeights, commonMaximum, type Weights } from './heatMap.js';
import { visibleText } from './visibleText.js';

/** From no weight to the maximum; each cell is two of them wide, which is about square. */
const blocks = [' ', '·', '░', '▒', '▓', '█'];
const masked = '╱';

/** Longest token shown, in columns. */
const longestToken = 12;

export interface TerminalOptions {
  /** Columns of the terminal; default 80. */
  readonly width?: number;
  /** The weight of a full block; default the picture's peak, rounded up. */
  readonly maximum?: number;
}

/**
 * The heat map as lines of text: title, keys written downwards, one line a query, and what the blocks mean.
 *
 * Errors: ShapeError when weights and tokens differ in size; UsageError when the terminal is too narrow.
 */
export function heatMapText(title: string, picture: Weights, options: TerminalOptions = {}): string {
  checkWeights('heatMapText', picture);
  const { width = 80, maximum = commonMaximum([picture]) } = options;
  const rows = picture.rows.map(tokenText);
  const margin = Math.max(...rows.map(columnsOf)) + 1;
  requireRoom(margin + 2 * picture.columns.length, width, picture);
  const lines = picture.weights.map((weights, row) => {
    const cells = weights.map((weight) => blockOf(weight, maximum).repeat(2)).join('');
    return `${padded(rows[row] ?? '', margin - 1)} ${cells}`;
  });
  return [visibleText(title, width), ...columnLines(picture.columns, margin), ...lines, meaning(picture, maximum)]
    .map((line) => line.trimEnd())
    .join('\n');
}

function blockOf(weight: number, maximum: number): string {
  return Number.isNaN(weight) ? masked : (blocks[levelOf(weight, maximum, blocks.length)] ?? ' ');
}

function requireRoom(wanted: number, width: number, { rows, columns }: Weights): void {
  if (wanted <= width) return;
  throw new UsageError(
    `heatMapText: expected a terminal of at least ${wanted} columns for ${rows.length} x ${columns.length} tokens, got ${width}; select a shorter text, or write HTML`,
  );
}

/** Keys, each written downwards above its two columns and standing on the map. */
function columnLines(columns: readonly string[], margin: number): string[] {
  const tokens = columns.map((token) => Array.from(tokenText(token)));
  const height = Math.max(...tokens.map(({ length }) => length));
  return Array.from({ length: height }, (_, line) => {
    const letters = tokens.map((letters) => letters[line - height + letters.length] ?? ' ');
    return (
      ' '.repeat(margin) + letters.map((letter) => letter + ' '.repeat(Math.max(0, 2 - columnsOf(letter)))).join('')
    );
  });
}

function meaning({ weights }: Weights, maximum: number): string {
  const steps = blocks.map((block, level) => {
    const weight = (maximum * level) / (blocks.length - 1);
    return `${(level === 0 ? '␣' : block).repeat(2)} ${Number(weight.toPrecision(2))}`;
  });
  const anyMasked = weights.some((row) => row.some(Number.isNaN));
  return `\n${steps.join('  ')}${anyMasked ? `  ${masked.repeat(2)} masked` : ''}`;
}

/** A token in at most 12 code points, safe to print; combining marks, which would stand alone, are left out. */
function tokenText(token: string): string {
  return visibleText(token.replace(/(?<=\P{M})\p{M}+/gu, ''), longestToken);
}

function padded(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - columnsOf(text))) + text;
}

/** Scripts and symbols that terminals show two columns wide. Source: Unicode Standard Annex 11, wide and full width. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}|[\u{20000}-\u{3fffd}]/u;

function columnsOf(text: string): number {
  return Array.from(text).reduce((sum, character) => sum + (wide.test(character) ? 2 : 1), 0);
}
