/**
 * What runs inside a page: reading values by mouse and by keyboard, and choosing a head. Not a module there: the
 * functions of this file are written into the page as text (`clientScript`), so each may use only the others and the DOM.
 *
 * `levelOf` and `weightText` are used on both sides, so that repainting gives exactly what was rendered.
 */

/** A weight as stored in a page, short in the file: ten-thousandths, rounded; null where masked. */
export type StoredWeight = number | null;

/** One large heat map of a page and all weights it can show. */
export interface PanelData {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** The weight that takes the last colour. */
  readonly maximum: number;
  /** Weights row by row. */
  readonly pictures: readonly { readonly label: string; readonly weights: readonly StoredWeight[] }[];
}

/** One chart of a page; its values stand in its table, one row a position. */
export interface ChartData {
  /** Horizontal pixel positions of the union of all points, rising. */
  readonly positions: readonly number[];
}

/** Everything the script reads, in the order of the figures in the page. */
export interface PageData {
  readonly panels: readonly PanelData[];
  readonly charts: readonly ChartData[];
}

/** Index of the colour of a weight: 0 to levels - 1. */
export function levelOf(weight: number, maximum: number, levels: number): number {
  return Math.max(0, Math.min(levels - 1, Math.round((weight / maximum) * (levels - 1))));
}

/** A weight in words: four decimals, or `masked` for NaN. */
export function weightText(weight: number): string {
  return Number.isNaN(weight) ? 'masked' : weight.toFixed(4);
}

/**
 * Where an arrow key, Home or End leads from `index` in rows of `width` out of `count`, the last row
 * perhaps shorter; undefined for other keys.
 */
export function nextIndex(key: string, index: number, width: number, count: number): number | undefined {
  const column = index % width;
  const moves: Record<string, number> = {
    ArrowLeft: column > 0 ? index - 1 : index,
    ArrowRight: column < width - 1 ? index + 1 : index,
    ArrowUp: index - width,
    ArrowDown: index + width,
    Home: index - column,
    End: index - column + width - 1,
  };
  const next = moves[key];
  if (next === undefined) return undefined;
  const inLastRow = index - column + width >= count;
  if (next >= count) return inLastRow ? index : count - 1;
  return next >= 0 ? next : index;
}

/** All elements that match, as an array. */
function every(root: ParentNode, selector: string): Element[] {
  return Array.from(root.querySelectorAll(selector));
}

/** Gives the one tab stop of a set to `chosen`. */
function moveTabStop(all: readonly Element[], chosen: Element | undefined): void {
  for (const element of all) element.setAttribute('tabindex', element === chosen ? '0' : '-1');
}

/** Hover, focus and arrow keys on the cells of a large heat map; its values appear in the line below. */
function readCells(panel: Element, width: number): void {
  const cells = every(panel, '.cell');
  const output = panel.querySelector('output');
  const tokens = [every(panel, '.map .row-token'), every(panel, '.map .column-token')];
  const show = (index: number): void => {
    for (const token of every(panel, '.map .current')) token.classList.remove('current');
    tokens[0]?.[Math.floor(index / width)]?.classList.add('current');
    tokens[1]?.[index % width]?.classList.add('current');
    if (output) output.textContent = cells[index]?.getAttribute('aria-label') ?? '';
  };
  moveTabStop(cells, cells[0]);
  cells.forEach((cell, index) => {
    cell.addEventListener('pointerenter', () => show(index));
    cell.addEventListener('focus', () => show(index));
    cell.addEventListener('keydown', (event) => {
      const next = nextIndex((event as KeyboardEvent).key, index, width, cells.length);
      if (next === undefined) return;
      event.preventDefault();
      moveTabStop(cells, cells[next]);
      (cells[next] as SVGElement | undefined)?.focus();
    });
  });
}

/** Repaints the large heat map, its table and its caption with another head. */
function paint(panel: Element, data: PanelData, choice: number, levels: number): void {
  const picture = data.pictures[choice];
  if (!picture) return;
  const cells = every(panel, '.cell');
  const entries = every(panel, 'td');
  const caption = panel.querySelector('.chosen');
  if (caption) caption.textContent = picture.label;
  const output = panel.querySelector('output');
  if (output) output.textContent = picture.label;
  picture.weights.forEach((stored, index) => {
    const weight = stored === null ? Number.NaN : stored / 10000;
    const row = data.rows[Math.floor(index / data.columns.length)];
    const column = data.columns[index % data.columns.length];
    const colour = stored === null ? 'x' : `w${levelOf(weight, data.maximum, levels)}`;
    cells[index]?.setAttribute('class', `cell ${colour}`);
    cells[index]?.setAttribute('aria-label', `${row} attends to ${column}: ${weightText(weight)}`);
    const entry = entries[index];
    if (entry) entry.textContent = weightText(weight);
  });
}

/** Click, Enter, space and arrow keys on the small multiples choose the head that is shown large. */
function chooseHeads(panel: Element, data: PanelData, levels: number): void {
  const small = every(panel, '[role=radio]');
  const columns = Number(panel.querySelector('[role=radiogroup]')?.getAttribute('data-columns') ?? 1);
  const choose = (index: number): void => {
    small.forEach((item, i) => {
      item.setAttribute('aria-checked', String(i === index));
    });
    moveTabStop(small, small[index]);
    paint(panel, data, index, levels);
  };
  moveTabStop(
    small,
    small.find((item) => item.hasAttribute('tabindex')),
  );
  small.forEach((item, index) => {
    item.addEventListener('click', () => choose(index));
    item.addEventListener('keydown', (event) => {
      const key = (event as KeyboardEvent).key;
      const next = key === 'Enter' || key === ' ' ? index : nextIndex(key, index, columns, small.length);
      if (next === undefined) return;
      event.preventDefault();
      choose(next);
      (small[next] as SVGElement | undefined)?.focus();
    });
  });
}

/** A row of a chart's table in one line: `step 400: train 1.23, validation 1.41`. */
function rowText(figure: Element, index: number): string {
  const names = every(figure, 'thead th').map((name) => name.textContent);
  const row = every(figure, 'tbody tr')[index];
  const values = row ? Array.from(row.children).map((value) => value.textContent) : [];
  const known = values.map((value, i) => (i > 0 && value !== '' ? `${names[i]} ${value}`.trim() : ''));
  return `${names[0]} ${values[0]}: ${known.filter((part) => part !== '').join(', ')}`;
}

/** Mouse and arrow keys along a chart; the nearest step's values appear in the line below. */
function readChart(figure: Element, { positions }: ChartData): void {
  const svg = figure.querySelector('svg');
  const marker = figure.querySelector('.marker');
  const output = figure.querySelector('output');
  if (!svg || !marker || !output || positions.length === 0) return;
  let current = positions.length - 1;
  const show = (index: number): void => {
    current = Math.max(0, Math.min(positions.length - 1, index));
    marker.setAttribute('transform', `translate(${positions[current]} 0)`);
    marker.setAttribute('class', 'marker on');
    output.textContent = rowText(figure, current);
  };
  const nearest = (x: number): number =>
    positions.reduce((best, p, i) => (Math.abs(p - x) < Math.abs((positions[best] ?? 0) - x) ? i : best), 0);
  svg.addEventListener('pointermove', (event) => {
    const box = svg.getBoundingClientRect();
    show(nearest(((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width));
  });
  const steps: Record<string, () => number> = {
    ArrowLeft: () => current - 1,
    ArrowRight: () => current + 1,
    Home: () => 0,
    End: () => positions.length - 1,
  };
  const plot = figure.querySelector('.plot');
  plot?.addEventListener('focus', () => show(current));
  plot?.addEventListener('keydown', (event) => {
    const step = steps[(event as KeyboardEvent).key];
    if (!step) return;
    event.preventDefault();
    show(step());
  });
}

/** Reads the page's data and brings every figure to life. */
function start(levels: number): void {
  const data = JSON.parse(document.getElementById('keyhole-data')?.textContent ?? '{}') as PageData;
  every(document, '.panel').forEach((panel, index) => {
    const panelData = data.panels[index];
    if (!panelData) return;
    readCells(panel, panelData.columns.length);
    chooseHeads(panel, panelData, levels);
  });
  every(document, '.chart').forEach((figure, index) => {
    const chartData = data.charts[index];
    if (chartData) readChart(figure, chartData);
  });
}

const functions = [
  levelOf,
  weightText,
  nextIndex,
  every,
  moveTabStop,
  readCells,
  paint,
  chooseHeads,
  rowText,
  readChart,
  start,
] as const;

/** This file's functions as one script that starts itself. */
export function clientScript(levels: number): string {
  return `"use strict";\n${functions.map(String).join('\n')}\n${start.name}(${levels});`;
}
