/** Key figures as JSON Lines: `metrics.jsonl`, written and read back. The format of lines: jsonLines.ts. */

import {
  decodeNumber,
  encodeNumber,
  isStep,
  type LineWriter,
  type ParsedLines,
  parseLines,
  type RawEntry,
} from './jsonLines.js';
import type { KpiEntry, KpiSink } from './kpiLogger.js';

/** A sink that writes one JSON object a line. */
export function jsonLinesSink(writer: LineWriter): KpiSink {
  return {
    write: (entry) => writer.write(JSON.stringify({ ...entry, value: encodeNumber(entry.value) })),
    flush: () => writer.flush(),
    close: () => writer.close(),
  };
}

/** Reads `metrics.jsonl`. Errors: FormatError with the number of the first damaged line. */
export function parseKpiLog(text: string, file = 'metrics.jsonl'): ParsedLines<KpiEntry> {
  return parseLines(text, file, readEntry);
}

function readEntry(raw: RawEntry): KpiEntry | undefined {
  const { step, wallTimeMs, name, unit } = raw;
  const value = decodeNumber(raw.value);
  if (!isStep(step) || typeof wallTimeMs !== 'number' || value === undefined) return undefined;
  if (typeof name !== 'string' || typeof unit !== 'string') return undefined;
  return { step, wallTimeMs, name, value, unit };
}
