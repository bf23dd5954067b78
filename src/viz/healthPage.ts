/** What the doctor found, as part of a report and as a page of its own: board, findings, curves of entropy and logits. */

import type { Finding } from '../core/finding.js';
import { renderChart } from './chartFigure.js';
import type { ChartData, HealthBoardData } from './client/data.js';
import { renderHealthBoard } from './healthBoard.js';
import type { HealthPoint } from './healthData.js';
import { element, text } from './markup.js';
import { renderPage } from './page.js';
import { entropyCharts, logitCharts } from './reportCharts.js';
import { visibleText } from './visibleText.js';

/** Markup, and the data of its figures. */
export interface HealthPart {
  readonly html: string;
  readonly boards: readonly HealthBoardData[];
  readonly charts: readonly ChartData[];
}

const boardNote =
  'Every layer and head at every evaluation. The slider walks through training; a finding is pinned to the cell and step ' +
  'where it was made.';
const entropyNote =
  'Normalised entropy of each head: 1 spreads attention evenly over all allowed keys, 0 puts it on one.';
const logitNote = 'Largest logit of each head. Growth without end comes before divergence.';

/** Numbers a statistic that a page holds at most, so that reports of long trainings of deep models stay within 1.5 MB. */
const mostNumbers = 3000;

/** Equally spaced steps, at least 16; those of findings and the last are always kept. */
function thinned(points: readonly HealthPoint[], findings: readonly Finding[]): readonly HealthPoint[] {
  const steps = [...new Set(points.map(({ step }) => step))].sort((a, b) => a - b);
  const limit = Math.max(16, Math.floor((mostNumbers * steps.length) / points.length));
  const each = Math.ceil(steps.length / limit);
  const found = new Set(findings.map(({ step }) => step));
  const kept = new Set(steps.filter((step, at) => (steps.length - 1 - at) % each === 0 || found.has(step)));
  return points.filter(({ step }) => kept.has(step));
}

/** Board and curves; empty without a value to show. */
export function renderHealth(all: readonly HealthPoint[], findings: readonly Finding[] = []): HealthPart {
  const points = thinned(all, findings);
  const board = renderHealthBoard(points, findings);
  if (!board) return { html: '', boards: [], charts: [] };
  const size = { width: 340, height: 200 };
  const entropies = entropyCharts(points, findings).map((chart) => renderChart(chart, size));
  const logits = logitCharts(points, findings).map((chart) => renderChart(chart, size));
  const curves = [
    [entropyNote, entropies],
    [logitNote, logits],
  ] as const;
  const charts = curves.flatMap(([note, figures]) =>
    figures.length === 0
      ? []
      : [
          element('p', { class: 'curves' }, note),
          element('div', { class: 'charts small' }, ...figures.map(({ html }) => html)),
        ],
  );
  return {
    html: [element('p', {}, boardNote), board.html, ...charts].join('\n'),
    boards: [board.data],
    charts: [...entropies, ...logits].map(({ data }) => data),
  };
}

/** Findings as one self-contained page, over the points that they were made from. */
export function renderFindings(
  title: string,
  findings: readonly Finding[],
  points: readonly HealthPoint[] = [],
): string {
  const { html, boards, charts } = renderHealth(points, findings);
  const heading = element('h1', {}, text(visibleText(`Attention of ${title}`, 200)));
  const caution = element('p', { class: 'note' }, 'Weights are signals of health, not explanations.');
  return renderPage(`Attention of ${title}`, [heading, caution, html].join('\n'), { boards, charts });
}
