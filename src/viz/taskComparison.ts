/**
 * The page of `keyhole compare`: figures of all variants, their curves over a grouping such as distance, and what each
 * looked at in the same texts.
 */

import { renderChart } from './chartFigure.js';
import type { LineChart } from './lineChart.js';
import { element, text } from './markup.js';
import { renderPage } from './page.js';
import { type AxisNames, renderPanels } from './panel.js';
import type { ReportSample, ReportTable } from './reportData.js';
import { renderTables } from './reportTables.js';
import { describedText } from './visibleText.js';

/** One text, and what every variant made of it. */
export interface ComparedText {
  readonly input: string;
  readonly reference: string;
  /** Parts that the answer needs, where that is known. */
  readonly needed: readonly string[];
  readonly answers: readonly { readonly variant: string; readonly sample: ReportSample }[];
}

export interface TaskComparison {
  readonly title: string;
  /** What was compared and how, in a sentence or two. */
  readonly method: string;
  readonly axes: AxisNames;
  readonly tables: readonly ReportTable[];
  readonly charts: readonly LineChart[];
  readonly texts: readonly ComparedText[];
}

const caution =
  'Weights show where information could flow, not why a model answered as it did. Mean pooling gives every word the same ' +
  'weight, so what is needed is a small part of what it reads; maximum pooling has no weights.';

/** Renders the comparison as one HTML file that opens from disk, without network. */
export function renderTaskComparison({ title, method, axes, tables, charts, texts }: TaskComparison): string {
  const curves = charts.map((chart) => renderChart(chart, { width: 640, height: 320 }));
  const parts = texts.map((compared) => textSection(compared, axes));
  const main = [
    element('header', {}, element('h1', {}, text(title)), element('p', { class: 'muted' }, text(method))),
    element('section', {}, element('h2', {}, 'Figures'), renderTables(tables)),
    curves.length === 0 ? '' : element('section', {}, element('h2', {}, 'Curves'), ...curves.map(({ html }) => html)),
    parts.length === 0
      ? ''
      : element(
          'section',
          {},
          element('h2', {}, 'What each looked at'),
          element('p', { class: 'note' }, text(caution)),
          ...parts.map(({ html }) => html),
        ),
  ].join('\n');
  const data = { panels: parts.flatMap(({ panels }) => panels), charts: curves.map((curve) => curve.data) };
  return renderPage(`${title} · Keyhole`, main, data);
}

function textSection({ input, reference, needed, answers }: ComparedText, axes: AxisNames) {
  const shown = (content: string, limit = 600): string => text(describedText(content, limit));
  const rendered = answers.map(({ variant, sample }) => {
    const panels = renderPanels(sample.pictures, axes, `${variant}: ${sample.input}`, []);
    const right = sample.correct ? 'right' : 'wrong';
    const verdict = element('span', { class: right }, `${right}: ${shown(sample.predicted, 60)}`);
    const none = element('p', { class: 'muted' }, 'No weights to show.');
    const body = panels.length === 0 ? none : panels.map(({ html }) => html).join('');
    return { html: element('section', {}, element('h4', {}, `${shown(variant)} `, verdict), body), panels };
  });
  const needs = needed.length === 0 ? '' : element('p', {}, `Needed: ${needed.map((part) => shown(part)).join(' · ')}`);
  const head = element('h3', {}, shown(input), element('span', { class: 'muted' }, ` → ${shown(reference, 60)}`));
  return {
    html: element('section', {}, head, needs, ...rendered.map(({ html }) => html)),
    panels: rendered.flatMap(({ panels }) => panels.map(({ data }) => data)),
  };
}
