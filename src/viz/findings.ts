/** Findings of the attention doctor as one self-contained page. What they mean: ../monitor/doctor/rules.ts. */

import { type Finding, placeText } from '../core/finding.js';
import { element, text } from './markup.js';
import { renderPage } from './page.js';
import { visibleText } from './visibleText.js';

/** A table, one finding a row, in the order given. */
export function renderFindings(title: string, findings: readonly Finding[]): string {
  const body =
    findings.length === 0
      ? element('p', {}, 'No findings.')
      : element('table', {}, headings, element('tbody', {}, ...findings.map(rowOf)));
  const caution = element('p', {}, 'Weights are signals of health, not explanations.');
  const main = element('h1', {}, text(visibleText(`Attention of ${title}`, 200))) + body + caution;
  return renderPage(`Attention of ${title}`, main, { panels: [], charts: [] });
}

const columns = ['Severity', 'Rule', 'Where', 'Measured', 'Threshold', 'Evidence', 'Likely cause', 'Remedy'];
const headings = element(
  'thead',
  {},
  element('tr', {}, ...columns.map((name) => element('th', { scope: 'col' }, text(name)))),
);

function rowOf(finding: Finding): string {
  const { severity, rule, step, measured, threshold, origin, source, cause, remedy } = finding;
  const where = `${placeText(finding)}, step ${step}`;
  const limit = `${threshold} (${origin}; ${source})`;
  const evidence = [finding.evidence, finding.picture].filter((part) => part !== undefined).join('; ');
  const cells = [severity, rule, where, measured.toPrecision(4), limit, evidence, cause, remedy];
  return element('tr', {}, ...cells.map((cell) => element('td', {}, text(visibleText(cell, 300)))));
}
