/**
 * The log of what every head did over training: `attention.jsonl`, one line for each step, path and head. What the
 * numbers mean: attentionSummary.ts; the format of lines: jsonLines.ts.
 */

import { FormatError, StateError } from '../core/errors.js';
import type { HeadSummary } from './attentionSummary.js';
import { entropyBins } from './entropyBins.js';
import {
  decodeNumber,
  encodeNumber,
  isStep,
  type LineWriter,
  type ParsedLines,
  parseLines,
  type RawEntry,
} from './jsonLines.js';

/** One head at one step. */
export interface AttentionEntry extends HeadSummary {
  /** Finished optimiser steps. */
  readonly step: number;
}

/** Of the format of lines. A change of what a figure means raises it, and lines then say it. */
const version = 1;

/** The numbers of a summary, in the order in which a line holds them. */
const figures = [
  'rows',
  'maskedRows',
  'keys',
  'entropyNats',
  'entropyRatio',
  'pMax',
  'saturatedRatio',
  'logitMax',
  'squareSum',
  'meanDistance',
  'firstMass',
  'selfMass',
  'previousMass',
  'nextMass',
] as const satisfies readonly (keyof HeadSummary)[];

/** Numbers that not every line has. */
const optionalFigures = ['futureMass', 'paddingMass'] as const satisfies readonly (keyof HeadSummary)[];

type Figures = Pick<HeadSummary, (typeof figures)[number]>;

/** Writes summaries as JSON Lines. */
export class AttentionLog {
  readonly #writer: LineWriter;

  constructor(writer: LineWriter) {
    this.#writer = writer;
  }

  /** Logs every head at one step. Errors: StateError for a step that is not a whole number. */
  write(step: number, summaries: readonly HeadSummary[]): void {
    if (!isStep(step)) throw new StateError(`AttentionLog.write: expected a whole step >= 0, got ${step}`);
    for (const summary of summaries) this.#writer.write(encodeEntry(step, summary));
  }

  /** Returns when everything written is where it belongs. */
  flush(): void {
    this.#writer.flush();
  }

  close(): void {
    this.#writer.close();
  }
}

/**
 * Reads `attention.jsonl`. Errors: FormatError with the number of the first damaged line, or of the first that another
 * version of the format wrote.
 */
export function parseAttentionLog(text: string, file = 'attention.jsonl'): ParsedLines<AttentionEntry> {
  return parseLines(text, file, (raw, line) => {
    requireVersion(raw, `${file}: expected a log of attention of version ${version} in line ${line}`);
    return readEntry(raw);
  });
}

/** A line says its version from 2 on. Lines of 1 have every figure, so one without some was written by another program. */
function requireVersion(raw: RawEntry, expected: string): void {
  const { version: found = version, step, path, head } = raw;
  const missing = figures.filter((name) => decodeNumber(raw[name]) === undefined);
  const isHead = isStep(step) && isStep(head) && typeof path === 'string';
  if (found === version && (missing.length === 0 || !isHead)) return;
  const got = found === version ? `one without ${missing.join(', ')}` : `version ${JSON.stringify(found)}`;
  throw new FormatError(`${expected}, got ${got}; open the run with the Keyhole that wrote it (versions in run.json)`, {
    version: found,
    missing,
  });
}

function encodeEntry(step: number, summary: HeadSummary): string {
  const { path, kind, head } = summary;
  const numbers = figures.map((name) => [name, encodeNumber(summary[name])] as const);
  const rest = optionalFigures.map((name) => [name, encodeOptional(summary[name])] as const);
  const rows = summary.entropyRows && { entropyRows: summary.entropyRows };
  return JSON.stringify({ step, path, kind, head, ...Object.fromEntries([...numbers, ...rest]), ...rows });
}

function encodeOptional(value: number | undefined): number | string | undefined {
  return value === undefined ? undefined : encodeNumber(value);
}

function readEntry(raw: RawEntry): AttentionEntry | undefined {
  const { step, path, kind, head } = raw;
  if (!isStep(step) || !isStep(head) || typeof path !== 'string') return undefined;
  if (kind !== 'self' && kind !== 'cross') return undefined;
  const numbers = readFigures(raw);
  return numbers && { step, path, kind, head, ...numbers, ...readOptional(raw) };
}

/** What lines of earlier versions lack, where a line has it. */
function readOptional(raw: RawEntry): Pick<HeadSummary, (typeof optionalFigures)[number] | 'entropyRows'> {
  const numbers = optionalFigures.flatMap((name) => {
    const value = decodeNumber(raw[name]);
    return value === undefined ? [] : [[name, value] as const];
  });
  const rows = raw.entropyRows;
  return { ...Object.fromEntries(numbers), ...(isCounts(rows) && { entropyRows: rows }) };
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length === entropyBins && value.every(isStep);
}

function readFigures(raw: RawEntry): Figures | undefined {
  const numbers = figures.map((name) => [name, decodeNumber(raw[name])] as const);
  return numbers.every(([, value]) => value !== undefined) ? (Object.fromEntries(numbers) as Figures) : undefined;
}
