/** Tables of figures on the terminal. */

import { bold } from 'ansis';
import type { FigureTable } from '../tasks/task.js';
import type { Output } from './output.js';

/** Most rows of a table that a terminal is given; the report has all. */
const mostRows = 24;

/** Each table under its title. */
export function showTables(output: Output, tables: readonly FigureTable[]): void {
  for (const { title, columns, rows } of tables) {
    output.line();
    output.line(bold(title));
    output.table([columns, ...rows.slice(0, mostRows).map((row) => row.map(cellText))]);
    if (rows.length > mostRows) output.line(`and ${rows.length - mostRows} rows more`);
  }
}

function cellText(value: string | number): string {
  if (typeof value === 'string') return value;
  return Number.isInteger(value) && Math.abs(value) > 1 ? String(value) : String(Number(value.toPrecision(4)));
}
