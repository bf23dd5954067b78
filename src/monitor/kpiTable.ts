/** The log of key figures as a table for other programs: CSV and, by way of hyparquet-writer, Parquet. */

import type { KpiEntry } from './kpiLogger.js';
import { optionalPackage } from './optionalPackage.js';

const columns = ['step', 'wallTimeMs', 'name', 'value', 'unit'] as const satisfies readonly (keyof KpiEntry)[];

/** RFC 4180, with a heading and lines that end in CR LF. Values that are not finite read `NaN`, `Infinity`, `-Infinity`. */
export function kpiCsv(entries: readonly KpiEntry[]): string {
  const rows = entries.map((entry) => columns.map((column) => quoted(String(entry[column]))));
  return [columns, ...rows].map((cells) => `${cells.join(',')}\r\n`).join('');
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/**
 * A Parquet file with the columns of the CSV: whole numbers are INT64, values DOUBLE, texts STRING.
 * Errors: StateError when hyparquet-writer is not installed.
 */
export async function kpiParquet(entries: readonly KpiEntry[]): Promise<Uint8Array> {
  const { parquetWriteBuffer } = await optionalPackage('hyparquet-writer', () => import('hyparquet-writer'));
  const whole = (column: 'step' | 'wallTimeMs'): bigint[] => entries.map((entry) => BigInt(Math.round(entry[column])));
  const buffer = parquetWriteBuffer({
    columnData: [
      { name: 'step', data: whole('step'), type: 'INT64' },
      { name: 'wallTimeMs', data: whole('wallTimeMs'), type: 'INT64' },
      { name: 'name', data: entries.map(({ name }) => name), type: 'STRING' },
      { name: 'value', data: entries.map(({ value }) => value), type: 'DOUBLE' },
      { name: 'unit', data: entries.map(({ unit }) => unit), type: 'STRING' },
    ],
  });
  return new Uint8Array(buffer);
}
