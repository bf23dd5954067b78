/**
 * JSON Lines as both logs write and read them: one object a line, numbers that JSON lacks as texts, strict reading that
 * forgives only a last line cut off by a kill. Next: kpiLog.ts, attentionLog.ts.
 */

import { FormatError } from '../core/errors.js';

/** Appends whole lines. The host's file writer is one; `write` may wait for `flush` to reach the disk. */
export interface LineWriter {
  write(line: string): void;
  flush(): void;
  close(): void;
}

/** What a log file held. */
export interface ParsedLines<Entry> {
  readonly entries: readonly Entry[];
  /** 1 when the last line had no end and was left out; the writer was killed in the middle of it. */
  readonly unfinished: 0 | 1;
}

/** A line parsed as JSON but not looked at: an object of unknown content. */
export type RawEntry = Readonly<Record<string, unknown>>;

const special = { NaN: Number.NaN, Infinity: Number.POSITIVE_INFINITY, '-Infinity': Number.NEGATIVE_INFINITY } as const;

/** A number as JSON can hold it: `"NaN"`, `"Infinity"` and `"-Infinity"` for the three that it cannot. */
export function encodeNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** What `encodeNumber` was given, or undefined for anything else. */
export function decodeNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && Object.hasOwn(special, value)
    ? special[value as keyof typeof special]
    : undefined;
}

/**
 * The entries of a log. `read` turns a line's object into an entry, or undefined when it does not fit; it may throw an error
 * of its own that says more, for which it gets the number of the line.
 *
 * Errors: FormatError with `file` and the line number for the first damaged line.
 */
export function parseLines<Entry>(
  text: string,
  file: string,
  read: (raw: RawEntry, line: number) => Entry | undefined,
): ParsedLines<Entry> {
  const lines = text.split('\n');
  const unfinished = lines.pop() === '' ? 0 : 1;
  const entries = lines.map((line, index) => {
    const raw = parseObject(line);
    const entry = raw && read(raw, index + 1);
    if (entry !== undefined) return entry;
    throw new FormatError(`${file}: expected a log entry in line ${index + 1}, got ${JSON.stringify(excerpt(line))}`, {
      file,
      line: index + 1,
    });
  });
  return { entries, unfinished };
}

/**
 * The log as it was when `step` had been logged: lines of later steps and an unfinished last line are left out, kept
 * lines keep every byte. For a resumed run, which will write the later lines again. Errors: FormatError as `parseLines`.
 */
export function truncateAfterStep(text: string, step: number, file = 'truncateAfterStep'): string {
  const { entries } = parseLines(text, file, (raw) => (isStep(raw.step) ? raw.step : undefined));
  return text
    .split('\n')
    .filter((_, index) => (entries[index] ?? Number.POSITIVE_INFINITY) <= step)
    .map((line) => `${line}\n`)
    .join('');
}

/** Whether a value can be a step: a whole number from 0 on. */
export function isStep(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseObject(line: string): RawEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as RawEntry) : undefined;
  } catch {
    return undefined;
  }
}

function excerpt(line: string): string {
  return line.length > 60 ? `${line.slice(0, 60)}…` : line;
}
