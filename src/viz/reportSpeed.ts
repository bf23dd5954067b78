/** The part of a report about speed: a table of latencies, and throughput against the number of inputs at once. */

import { renderChart } from './chartFigure.js';
import type { ChartData } from './client/data.js';
import { type LineChart, numberText } from './lineChart.js';
import { element, text } from './markup.js';
import type { Figure } from './panel.js';
import { groupBy } from './pictureGroup.js';
import type { ReportSpeed } from './reportData.js';
import { describedText } from './visibleText.js';

/** Markup and the data of its charts. */
export function renderSpeed(speed: ReportSpeed): Figure<readonly ChartData[]> {
  const chart = throughputChart(speed);
  const charts = chart.series.length === 0 ? [] : [renderChart(chart)];
  const note = element('p', {}, text(describedText(speed.note, 400)));
  const grid = element('div', { class: 'charts' }, latencyTable(speed), ...charts.map(({ html }) => html));
  return { html: note + grid, data: charts.map(({ data }) => data) };
}

function throughputChart({ throughput }: ReportSpeed): LineChart {
  return {
    title: 'Throughput',
    xTitle: 'inputs at once',
    yTitle: 'inputs/s',
    series: groupBy(throughput, ({ length }) => String(length)).map((points) => ({
      name: `${points[0]?.length ?? 0} characters`,
      points: points.map(({ batch, inputsPerSecond }) => [batch, inputsPerSecond] as const),
    })),
  };
}

function latencyTable({ latencies }: ReportSpeed): string {
  const head = ['Latency in ms', 'p50', 'p95', 'p99'].map((name) => element('th', { scope: 'col' }, name));
  const rows = latencies.map(({ name, p50, p95, p99 }) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, text(describedText(name))),
      ...[p50, p95, p99].map((value) => element('td', {}, numberText(value))),
    ),
  );
  const table = element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows));
  return element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Latency' }, table);
}
