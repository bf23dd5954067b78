/**
 * Several runs in one self-contained page: their figures beside each other, what their configurations differ in, and
 * their curves overlaid. The first run is the one that others are compared with.
 */

import { renderChart } from './chartFigure.js';
import { type LineChart, numberText } from './lineChart.js';
import { element, text } from './markup.js';
import { renderPage } from './page.js';
import { groupBy } from './pictureGroup.js';
import { byStep, inWords, spansDecades } from './reportCharts.js';
import type { MetricPoint } from './reportData.js';
import { describedText, visibleText } from './visibleText.js';

/** One run of a comparison. */
export interface ComparedRun {
  /** Short name, for curves and columns. */
  readonly label: string;
  readonly name: string;
  readonly task: string;
  readonly status: string;
  /** When it began, ready to be shown. */
  readonly started: string;
  readonly configuration: Readonly<Record<string, string>>;
  readonly metrics: readonly MetricPoint[];
}

/** One figure of all runs. */
export interface ComparedRow {
  readonly name: string;
  readonly label: string;
  readonly unit: string;
  readonly better: 'lower' | 'higher' | 'neither';
  /** In the order of the runs; null where a run has none. */
  readonly values: readonly (number | null)[];
}

export interface ComparisonData {
  readonly runs: readonly ComparedRun[];
  readonly rows: readonly ComparedRow[];
}

/** Renders the comparison as one HTML file that opens from disk, in light and dark, without network. */
export function renderComparison({ runs, rows }: ComparisonData): string {
  const charts = overlaidCharts(runs).map((chart) => renderChart(chart, { width: 560 }));
  const title = `${runs.length} ${runs.length === 1 ? 'run' : 'runs'} compared`;
  const main = [
    element('header', {}, element('h1', {}, title), runsTable(runs)),
    section('Figures', figuresTable(runs, rows)),
    section('Configurations', differencesTable(runs)),
    section(
      'Curves',
      charts.length === 0 ? '' : element('div', { class: 'charts' }, ...charts.map(({ html }) => html)),
    ),
  ].join('\n');
  return renderPage(`${title} · Keyhole`, main, { panels: [], charts: charts.map(({ data }) => data) });
}

function section(title: string, content: string): string {
  return content === '' ? '' : element('section', {}, element('h2', {}, title), content);
}

function shown(content: string): string {
  return text(describedText(content, 120));
}

/** A table with a heading row and a name before every row; cells are markup. */
function table(label: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const heading = element('tr', {}, ...head.map((name) => element('th', { scope: 'col' }, shown(name))));
  const body = rows.map(([name = '', ...cells]) =>
    element('tr', {}, element('th', { scope: 'row' }, name), ...cells.map((cell) => element('td', {}, cell))),
  );
  const content = element('table', { class: 'compared' }, element('thead', {}, heading), element('tbody', {}, ...body));
  return element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, content);
}

function runsTable(runs: readonly ComparedRun[]): string {
  const rows = runs.map(({ label, name, task, status, started }, index) => {
    const role = index === 0 ? ' <span class="muted">baseline</span>' : '';
    return [shown(label) + role, shown(name), shown(task), shown(status), shown(started)];
  });
  return table('Runs', ['Label', 'Run', 'Task', 'Status', 'Started'], rows);
}

function figuresTable(runs: readonly ComparedRun[], rows: readonly ComparedRow[]): string {
  if (rows.length === 0) return '';
  const head = ['Figure', 'Unit', ...runs.map(({ label }) => label)];
  return table(
    'Figures',
    head,
    rows.map((row) => {
      const direction = row.better === 'neither' ? '' : ` <span class="muted">${row.better} is better</span>`;
      return [
        shown(row.name) + direction,
        shown(row.unit),
        ...row.values.map((value, index) => figureCell(row, value, index)),
      ];
    }),
  );
}

/** The value, and for all but the first run how far it is from the first run's. */
function figureCell({ values: [first = null], better }: ComparedRow, value: number | null, index: number): string {
  if (value === null) return '';
  const number = numberText(value);
  if (index === 0 || first === null || !Number.isFinite(value - first) || value === first) return number;
  const improved = value < first === (better === 'lower');
  const className = better === 'neither' ? 'muted' : improved ? 'right' : 'wrong';
  const sign = value > first ? '+' : '−';
  const word = better === 'neither' ? '' : improved ? ' better' : ' worse';
  return `${number} ${element('span', { class: className }, `${sign}${numberText(Math.abs(value - first))}${word}`)}`;
}

/** The keys on which configurations do not agree. */
function differencesTable(runs: readonly ComparedRun[]): string {
  const keys = [...new Set(runs.flatMap(({ configuration }) => Object.keys(configuration)))];
  const different = keys.filter((key) => new Set(runs.map(({ configuration }) => configuration[key])).size > 1);
  const rows = different.map((key) => [
    shown(key),
    ...runs.map(({ configuration }) => shown(configuration[key] ?? '')),
  ]);
  return rows.length === 0 ? '' : table('Configurations', ['Key', ...runs.map(({ label }) => label)], rows);
}

/** One chart a figure that any run logged at two steps or more, one curve a run. */
function overlaidCharts(runs: readonly ComparedRun[]): LineChart[] {
  const points = runs.flatMap(({ label, metrics }) => metrics.map((point) => ({ ...point, label })));
  return groupBy(points, ({ name }) => name)
    .map((group) => ({
      title: visibleText(titleOf(group[0]?.name ?? ''), 60),
      xTitle: 'step',
      yTitle: visibleText(group[0]?.unit ?? '', 16),
      series: groupBy(group, ({ label }) => label).map((own) => ({
        name: own[0]?.label ?? '',
        points: byStep(own, (index) => own[index]?.value ?? null),
      })),
      logarithmic: spansDecades(group),
    }))
    .filter(({ series }) => series.some(({ points }) => points.length > 1));
}

/** `validation/phonemeErrorRate` as `Phoneme error rate, validation`. */
function titleOf(name: string): string {
  const slash = name.indexOf('/');
  return slash < 0 ? inWords(name) : `${inWords(name.slice(slash + 1))}, ${name.slice(0, slash)}`;
}
