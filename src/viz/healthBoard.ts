/**
 * The health board: layers down, heads across, a statistic as colour and number, findings of the doctor pinned to their
 * cells. In a page a slider walks through the steps (client/healthBoard.ts). The numbers: healthData.ts.
 */

import { UsageError } from '../core/errors.js';
import type { Finding } from '../core/finding.js';
import type { HealthBoardData } from './client/data.js';
import { boardClass, boardValue } from './client/shared.js';
import { encodeFloats } from './encodeFloats.js';
import { findingsList, findingText } from './findings.js';
import { type Board, type BoardStatistic, boardOf, type HealthPoint, type HealthStatistic } from './healthData.js';
import { numberText } from './lineChart.js';
import { type Drawing, element, label, moved, shape, text } from './markup.js';
import type { Figure } from './panel.js';
import { groupBy } from './pictureGroup.js';
import { pin, pinLegend, worstOf } from './pins.js';
import { placeOf } from './place.js';
import { svgDocument, svgFragment } from './svgDocument.js';
import type { Theme } from './theme.js';
import { visibleText } from './visibleText.js';

const [cellWidth, cellHeight, gap, headingHeight] = [58, 28, 3, 24];
const rowRoom = 62;
const columnRoom = 20;

/** What is seen of a board: indices of a statistic and a step. */
interface Seen {
  readonly statistic: number;
  readonly step: number;
}

/** Columns of the grid: a head each, and one for findings of whole layers where there are any. */
function columnsOf({ heads, findings }: Board): number {
  return heads.length + (findings.some(({ column }) => column === heads.length) ? 1 : 0);
}

/** Top of every row: a heading stands above the first of each stack. */
function rowTops({ rows }: Board): { readonly tops: number[]; readonly bottom: number } {
  let y = columnRoom;
  const tops = rows.map((path, row) => {
    if (row === 0 || placeOf(rows[row - 1] ?? '').stack !== placeOf(path).stack) y += headingHeight;
    const top = y;
    y += cellHeight + gap;
    return top;
  });
  return { tops, bottom: y };
}

/** Names of stacks, layers and heads. */
function names(board: Board, tops: readonly number[]): string {
  const layers = board.rows.map((path, row) => {
    const { stack, layer } = placeOf(path);
    const top = tops[row] ?? 0;
    const first = row === 0 || placeOf(board.rows[row - 1] ?? '').stack !== stack;
    const heading = first ? label(stack, { x: 0, y: top - 7, style: 'font-weight:600' }) : '';
    return heading + label(layer, { class: 'axis', x: 0, y: top + cellHeight / 2 + 4 });
  });
  const columns = Array.from({ length: columnsOf(board) }, (_, column) =>
    label(column < board.heads.length ? `head ${board.heads[column]}` : 'layer', {
      class: 'axis',
      x: rowRoom + column * (cellWidth + gap) + cellWidth / 2,
      y: 12,
      'text-anchor': 'middle',
    }),
  );
  return [...layers, ...columns].join('');
}

function valueAt({ steps, rows, heads }: Board, { values }: BoardStatistic, at: Placed): number {
  if (at.column >= heads.length || at.step >= steps.length) return Number.NaN;
  return values[(at.step * rows.length + at.row) * heads.length + at.column] ?? Number.NaN;
}

type Placed = { readonly step: number; readonly row: number; readonly column: number };

/** Cells with their numbers. A page names them itself, since names change with the step. */
function cells(board: Board, { statistic, step }: Seen, tops: readonly number[], interactive: boolean): string {
  const shown = board.statistics[statistic] as BoardStatistic;
  const numbers: string[] = [];
  const rows = board.rows.map((_, row) => {
    const rects = Array.from({ length: columnsOf(board) }, (_unused, column) => {
      const value = valueAt(board, shown, { step, row, column });
      const place = { x: rowRoom + column * (cellWidth + gap), y: tops[row] ?? 0 };
      const whole = column === board.heads.length;
      const colour = whole ? 'room whole' : boardClass(value, shown.low, shown.high);
      numbers.push(
        label(whole ? '' : boardValue(value), {
          class: colour.endsWith(' over') ? 'value over' : 'value',
          x: place.x + cellWidth / 2,
          y: place.y + cellHeight / 2 + 4,
          'text-anchor': 'middle',
        }),
      );
      const box = { class: `board-cell ${colour}`, ...place, width: cellWidth, height: cellHeight, rx: 3 };
      if (!interactive) return shape('rect', box);
      return shape('rect', { ...box, role: 'gridcell', tabindex: row + column === 0 ? 0 : -1, 'aria-label': '' });
    });
    return element('g', interactive ? { role: 'row' } : {}, ...rects);
  });
  return rows.join('') + element('g', { class: 'values', 'aria-hidden': 'true' }, ...numbers);
}

/** One pin a cell and step, as bad as the worst finding there. */
function pins(board: Board, step: number | undefined, tops: readonly number[]): string {
  const places = groupBy(board.findings, ({ step: at, row, column }) => `${at} ${row} ${column}`);
  const drawn = places.flatMap((found) => {
    const [first] = found;
    if (!first || (step !== undefined && first.step !== step)) return [];
    const x = rowRoom + first.column * (cellWidth + gap) + cellWidth - 4;
    const badge = pin(worstOf(found.map(({ finding }) => finding.severity)), x, (tops[first.row] ?? 0) + 4);
    return step === undefined ? [element('g', { 'data-step': first.step }, badge)] : [badge];
  });
  return element('g', { class: 'pins', 'aria-hidden': 'true' }, ...drawn);
}

/** The board at one step; with `interactive`, with the pins of every step. */
function drawBoard(board: Board, seen: Seen, interactive: boolean): Drawing {
  const { tops, bottom } = rowTops(board);
  const body = [
    element('g', interactive ? { 'aria-hidden': 'true' } : {}, names(board, tops)),
    cells(board, seen, tops, interactive),
    pins(board, interactive ? undefined : seen.step, tops),
  ];
  return { width: rowRoom + columnsOf(board) * (cellWidth + gap) + 6, height: bottom + 4, body: body.join('') };
}

export interface HealthBoardOptions {
  /** Default normalised entropy, or the first that there is. */
  readonly statistic?: HealthStatistic;
  /** Default the last. */
  readonly step?: number;
  readonly theme?: Theme;
}

/**
 * The board at one step as a complete SVG file.
 *
 * Errors: UsageError without a value to show, or for a statistic or step that the points lack.
 */
export function healthBoardSvg(
  points: readonly HealthPoint[],
  findings: readonly Finding[] = [],
  options: HealthBoardOptions = {},
): string {
  const board = boardOf(points, findings);
  const [first] = board.statistics;
  if (!first) throw new UsageError('healthBoard: expected at least one value of one head, got none');
  const { statistic = first.key, step = board.steps.at(-1) ?? 0, theme } = options;
  const seen = {
    statistic: board.statistics.findIndex(({ key }) => key === statistic),
    step: board.steps.indexOf(step),
  };
  if (seen.statistic < 0 || seen.step < 0) {
    const known = board.statistics.map(({ key }) => key).join(', ');
    throw new UsageError(`healthBoard: expected one of ${known} at a logged step, got ${statistic} at ${step}`);
  }
  const { name } = board.statistics[seen.statistic] as BoardStatistic;
  const { width, height, body } = drawBoard(board, seen, false);
  const title = `${name}, step ${numberText(step)}`;
  const heading = label(title, { class: 'heading', x: 0, y: 12 });
  const drawing = { width: width + 32, height: height + 56, body: moved(16, 16, heading + moved(0, 28, body)) };
  const found = board.findings.filter((one) => one.step === seen.step).map(({ finding }) => findingText(finding));
  const description = `${board.rows.length} layers of ${board.heads.length} heads. ${found.join('; ') || 'No findings'}.`;
  return svgDocument(drawing, { title, description, ...(theme && { theme }) });
}

/** The board in a page, with its slider, its statistics and its findings; undefined without a value to show. */
export function renderHealthBoard(
  points: readonly HealthPoint[],
  findings: readonly Finding[] = [],
): Figure<HealthBoardData> | undefined {
  const board = boardOf(points, findings);
  if (board.statistics.length === 0) return undefined;
  const seen = { statistic: 0, step: board.steps.length - 1 };
  const title = 'Every layer and head over training';
  const svg = svgFragment(drawBoard(board, seen, true), { role: 'grid', 'aria-label': title });
  const first = findings.map((finding) => board.findings.findIndex((one) => one.finding === finding));
  const html = element(
    'section',
    { class: 'health-board', 'aria-label': title },
    tools(board),
    element('div', { class: 'scroll' }, svg),
    element('p', { class: 'hint' }, text(findings.length === 0 ? 'No findings.' : `Findings: ${pinLegend}.`)),
    element('output', { 'aria-live': 'polite' }, 'Point at a cell, or use the arrow keys, to read it.'),
    findingsList(findings, first),
  );
  return { html, data: boardData(board) };
}

function boardData(board: Board): HealthBoardData {
  return {
    steps: board.steps,
    columns: columnsOf(board),
    heads: board.heads,
    rows: board.rows.map((path) => `${placeOf(path).stack}, ${placeOf(path).layer}`),
    statistics: board.statistics.map(({ name, low, high, values }) => ({
      name,
      low,
      high,
      values: encodeFloats(values, 3),
    })),
    findings: board.findings.map(({ finding, ...at }) => ({ ...at, text: visibleText(findingText(finding), 200) })),
  };
}

/** The statistic, the step, and the way from finding to finding. */
function tools({ statistics, steps }: Board): string {
  const options = statistics.map(({ name }) => element('option', {}, text(name)));
  const last = steps.length - 1;
  const range = shape('input', { type: 'range', min: 0, max: last, step: 1, value: last, 'data-steps': '' });
  const key = element(
    'span',
    { class: 'key' },
    element('span', { class: 'low' }, ''),
    element('span', { class: 'bar' }, ''),
    element('span', { class: 'high' }, ''),
  );
  return element(
    'div',
    { class: 'tools' },
    element('label', {}, 'statistic ', element('select', { 'data-statistic': '' }, ...options)),
    element('label', {}, 'step ', range, element('span', { class: 'step' }, numberText(steps[last] ?? 0))),
    key,
  );
}
