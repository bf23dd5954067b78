/**
 * The report of a run: one self-contained page with its figures, samples, curves and attention.
 *
 * Read reportData.ts for what goes in; panel.ts and chartFigure.ts for the two kinds of figure.
 */

import { renderChart } from './chartFigure.js';
import type { ChartData, PanelData } from './client/data.js';
import { renderHealth } from './healthPage.js';
import { numberText } from './lineChart.js';
import { element, text } from './markup.js';
import { renderPage } from './page.js';
import { type Figure, renderPanels } from './panel.js';
import { groupBy } from './pictureGroup.js';
import { placeOf } from './place.js';
import { metricCharts } from './reportCharts.js';
import type { ReportData, ReportFigure, ReportSample } from './reportData.js';
import { renderSpeed } from './reportSpeed.js';
import { renderTables } from './reportTables.js';
import { type HeadName, mostSelective } from './selective.js';
import { describedText } from './visibleText.js';

const caution =
  'Attention weights are health signals, not explanations: they show where information could flow, not why the model ' +
  'answered as it did (Jain and Wallace 2019; Wiegreffe and Pinter 2019). Unless a head was chosen, each stack opens on ' +
  'its most selective head, the one with the highest mutual information of query and key.';

/** Token text of a report, safe and cut. */
function shown(content: string, limit = 120): string {
  return text(describedText(content, limit));
}

function header(report: ReportData): string {
  const status = element('span', { class: `status ${report.status}` }, report.status);
  const started = report.started === undefined ? '' : ` · started ${shown(report.started)}`;
  const pairs = report.configuration.map(({ name, value }) =>
    element('div', {}, element('dt', {}, shown(name)), element('dd', {}, shown(value))),
  );
  const configuration = pairs.length === 0 ? '' : element('dl', { class: 'pairs' }, ...pairs);
  return element(
    'header',
    {},
    element('h1', {}, shown(report.run)),
    element('p', { class: 'muted' }, `Task ${shown(report.task)} · `, status, started),
    tiles(report.figures),
    configuration,
  );
}

function tiles(figures: readonly ReportFigure[]): string {
  if (figures.length === 0) return '';
  const tile = ({ name, value, unit }: ReportFigure): string => {
    const behind = unit === '' ? '' : element('span', {}, ` ${shown(unit)}`);
    return element(
      'div',
      {},
      element('dt', {}, shown(name)),
      element('dd', {}, numberText(value ?? Number.NaN), behind),
    );
  };
  return element('dl', { class: 'tiles' }, ...figures.map(tile));
}

function verdict(correct: boolean | undefined): string {
  if (correct === undefined) return element('td', {}, '');
  return correct ? element('td', { class: 'right' }, '✓ correct') : element('td', { class: 'wrong' }, '✗ wrong');
}

/** Inputs and answers; what is right only where it is known. */
function samplesTable(samples: readonly ReportSample[]): string {
  const judged = samples.some(({ references }) => references.length > 0);
  const names = ['Input', 'Predicted', ...(judged ? ['Reference', 'Verdict'] : [])];
  const rows = samples.map(({ input, predicted, references, correct }) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, shown(input)),
      element('td', {}, shown(predicted)),
      ...(judged ? [element('td', {}, shown(references.join(' or '))), verdict(correct)] : []),
    ),
  );
  const head = names.map((name) => element('th', { scope: 'col' }, name));
  const table = element(
    'table',
    { class: 'words' },
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...rows),
  );
  return element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Samples' }, table);
}

/** Panels of one sample: cross-attention open, self-attention folded. */
function sampleSection(sample: ReportSample, panels: readonly Figure<PanelData>[]): string {
  const [first, ...others] = panels.map(({ html }) => html);
  const summary = element('summary', {}, 'Self-attention');
  const folded = others.length === 0 ? '' : element('details', { class: 'stack' }, summary, ...others);
  const title = `${shown(sample.input)} <span class="muted">→ ${shown(sample.predicted)}</span>`;
  return element('section', {}, element('h3', {}, title), first ?? '', folded);
}

/** A heading with content, or nothing for no content. */
function section(title: string, ...content: readonly string[]): string {
  return content.join('') === '' ? '' : element('section', {}, element('h2', {}, title), ...content);
}

function chartGrid(figures: readonly Figure<ChartData>[], className: string): string {
  return figures.length === 0 ? '' : element('div', { class: className }, ...figures.map(({ html }) => html));
}

/** Of each stack the head to show first for every sample, so that samples can be compared. */
function favouriteHeads(samples: readonly ReportSample[]): HeadName[] {
  const pictures = samples.flatMap((sample) => sample.pictures);
  return groupBy(pictures, ({ path }) => placeOf(path).stack).flatMap((stack) => mostSelective(stack) ?? []);
}

function chosenHeads({ chosen }: ReportSample, favourites: readonly HeadName[]): readonly HeadName[] {
  return chosen ? [chosen, ...favourites] : favourites;
}

/**
 * Renders the report as one HTML file that opens from disk, in light and dark, without network.
 *
 * Errors: ShapeError for pictures whose weights do not fit their tokens; UsageError for pictures too large to draw.
 */
export function renderReport(report: ReportData): string {
  const favourites = favouriteHeads(report.samples);
  const samples = report.samples.map((sample) => ({
    sample,
    panels: renderPanels(sample.pictures, report.axes, sample.input, chosenHeads(sample, favourites)),
  }));
  const withPictures = samples.filter(({ panels }) => panels.length > 0);
  const metrics = metricCharts(report.metrics).map((chart) => renderChart(chart));
  const health = renderHealth(report.attention, report.findings);
  const speed = report.speed && renderSpeed(report.speed);
  const note = withPictures.length === 0 ? '' : element('p', { class: 'note' }, text(caution));
  const main = [
    header(report),
    section('Figures in tables', renderTables(report.tables ?? [])),
    report.samples.length === 0 ? '' : section('Samples', samplesTable(report.samples)),
    section('Attention', note, ...withPictures.map(({ sample, panels }) => sampleSection(sample, panels))),
    section('Training', chartGrid(metrics, 'charts')),
    section('Attention over training', health.html),
    section('Inference speed', speed?.html ?? ''),
  ].join('\n');
  return renderPage(`${describedText(report.run)} · Keyhole`, main, {
    panels: samples.flatMap(({ panels }) => panels.map(({ data }) => data)),
    boards: health.boards,
    charts: [...metrics.map(({ data }) => data), ...health.charts, ...(speed?.data ?? [])],
  });
}
