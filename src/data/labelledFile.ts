/**
 * Somebody's own labelled texts from a file: CSV with a heading line, or JSON Lines. What cannot be used is counted, what
 * is broken is an error with its line. CSV is read by `csv-parse`, loaded only when asked for.
 */

import { readBytes } from '#host';
import { FormatError, UsageError } from '../core/errors.js';

/** Which file, and which of its columns. */
export interface LabelledSource {
  readonly path: string;
  /** Column, or key, of the text and of its class. */
  readonly text: string;
  readonly label: string;
}

export interface LabelledRows {
  readonly rows: readonly { readonly text: string; readonly label: string }[];
  /** What was left out or changed, one line each. */
  readonly notices: readonly string[];
}

type Row = Readonly<Record<string, unknown>>;

/**
 * Reads `path`: JSON Lines when its name ends in .jsonl or .ndjson, CSV otherwise. Quotes, separators and line breaks
 * inside quotes are RFC 4180's; empty texts are kept.
 *
 * Errors: UsageError for no such file or column; FormatError for broken CSV or JSON, or bytes that are not UTF-8.
 */
export async function readLabelledFile(source: LabelledSource): Promise<LabelledRows> {
  const content = contentOf(source.path);
  const rows = /\.(jsonl|ndjson)$/i.test(source.path)
    ? jsonLines(content, source.path)
    : await csv(content, source.path);
  if (rows.length === 0) throw new FormatError(`data: expected rows in ${source.path}, got none`);
  for (const column of [source.text, source.label]) requireColumn(rows, column, source.path);
  const usable = rows.filter((row) => cell(row, source.label) !== '');
  const texts = usable.map((row) => ({ text: cell(row, source.text), label: cell(row, source.label) }));
  return { rows: texts, notices: noticesOf(rows.length - texts.length, texts) };
}

function noticesOf(unlabelled: number, texts: readonly { readonly text: string }[]): string[] {
  const withNul = texts.filter(({ text }) => text.includes('\0')).length;
  return [
    ...(unlabelled > 0 ? [`${unlabelled} rows without a label were left out`] : []),
    ...(withNul > 0 ? [`${withNul} texts hold NUL bytes, which separate words`] : []),
  ];
}

function contentOf(path: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readBytes(path);
  } catch (error) {
    throw new UsageError(`data: expected a CSV or JSON Lines file, got ${path}: ${messageOf(error)}`, { path });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const hint = 'convert it, for instance with iconv -f latin1 -t utf-8';
    throw new FormatError(`data: expected ${path} to be UTF-8, got other bytes; ${hint}`, { path });
  }
}

async function csv(content: string, path: string): Promise<readonly Row[]> {
  const { parse } = await import('csv-parse/sync');
  try {
    return parse(content, { columns: true, skip_empty_lines: true, relax_column_count: false }) as Row[];
  } catch (error) {
    throw new FormatError(`data: expected CSV with a heading line in ${path}, got: ${messageOf(error)}`, { path });
  }
}

function jsonLines(content: string, path: string): readonly Row[] {
  return content
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [jsonRow(line, `${path}:${index + 1}`)]));
}

function jsonRow(line: string, place: string): Row {
  let row: unknown;
  try {
    row = JSON.parse(line);
  } catch (error) {
    throw new FormatError(`data: expected one JSON object a line, got at ${place}: ${messageOf(error)}`, { place });
  }
  if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Row;
  throw new FormatError(`data: expected one JSON object a line, got at ${place}: ${line.slice(0, 40)}`, { place });
}

function requireColumn(rows: readonly Row[], column: string, path: string): void {
  const known = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (known.includes(column)) return;
  throw new UsageError(
    `data: expected a column ${column} in ${path}, got ${known.join(', ')}; say which with --set text=… label=…`,
    { column, known },
  );
}

function cell(row: Row, column: string): string {
  const value = Object.hasOwn(row, column) ? row[column] : undefined;
  return value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
