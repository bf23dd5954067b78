/** Tables of names and numbers in a page. */

import { numberText } from './lineChart.js';
import { element, text } from './markup.js';
import type { ReportTable } from './reportData.js';
import { describedText } from './visibleText.js';

/** All tables, each with its caption. */
export function renderTables(tables: readonly ReportTable[]): string {
  return tables.map(renderTable).join('\n');
}

function renderTable({ title, columns, rows }: ReportTable): string {
  const shown = (value: string | number): string =>
    typeof value === 'number' ? numberText(value) : text(describedText(value, 80));
  const head = columns.map((name) => element('th', { scope: 'col' }, shown(name)));
  const body = rows.map(([name = '', ...cells]) => {
    const values = cells.map((cell) => element('td', {}, shown(cell)));
    return element('tr', {}, element('th', { scope: 'row' }, shown(name)), ...values);
  });
  const content = element(
    'table',
    { class: 'compared' },
    element('caption', {}, text(title)),
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  );
  return element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': title }, content);
}
