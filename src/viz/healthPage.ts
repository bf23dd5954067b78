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

/** Board and curves; empty without a value to show. */
export function renderHealth(points: readonly HealthPoint[], findings: readonly Finding[] = []): HealthPart {
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
