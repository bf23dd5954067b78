/**
 * A line chart in a page: the drawing, a line that reads values at the pointer or by arrow keys, and a table.
 */

import type { ChartData } from './client/data.js';
import {
  type ChartDrawing,
  type ChartSize,
  describeChart,
  drawable,
  drawLineChart,
  type LineChart,
  numberText,
} from './lineChart.js';
import { element, text } from './markup.js';
import type { Figure } from './panel.js';
import { svgFragment } from './svgDocument.js';

/** Rows of the table: series by series at every stop; undefined where a series has no point. */
function valuesAt(chart: LineChart, stops: ChartDrawing['stops']): (number | undefined)[][] {
  const maps = chart.series.map(({ points }) => new Map(points));
  return stops.map(({ x }) => maps.map((values) => values.get(x)));
}

function table(chart: LineChart, stops: ChartDrawing['stops'], values: (number | undefined)[][]): string {
  const names = [chart.xTitle, ...chart.series.map(({ name }) => name)];
  const head = names.map((name) => element('th', { scope: 'col' }, text(name)));
  const rows = stops.map(({ x }, row) => {
    const cells = (values[row] ?? []).map((value) => element('td', {}, value === undefined ? '' : numberText(value)));
    return element('tr', {}, element('th', { scope: 'row' }, numberText(x)), ...cells);
  });
  const caption = `${chart.title}, ${chart.yTitle}`;
  const content = element(
    'table',
    {},
    element('caption', {}, text(caption)),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...rows),
  );
  const scroll = { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `${caption}: values` };
  return element('details', {}, element('summary', {}, 'Values as a table'), element('div', scroll, content));
}

/** Renders a chart with its table; the page's script reads the values from there. */
export function renderChart(raw: LineChart, size: ChartSize = {}): Figure<ChartData> {
  const chart = drawable(raw, size.width ?? 460);
  const drawing = drawLineChart(chart, size);
  const values = valuesAt(chart, drawing.stops);
  const svg = svgFragment(drawing, { role: 'img', 'aria-label': describeChart(chart) });
  const plot = { class: 'plot', tabindex: 0, role: 'group', 'aria-label': `${chart.title}; arrow keys read values` };
  const html = element(
    'figure',
    { class: 'chart' },
    element('figcaption', {}, text(chart.title)),
    element('div', plot, svg),
    element('output', { 'aria-live': 'polite' }, ''),
    table(chart, drawing.stops, values),
  );
  const positions = drawing.stops.map(({ position }) => Math.round(position * 10) / 10);
  return { html, data: { positions } };
}
