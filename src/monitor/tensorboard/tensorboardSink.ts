/**
 * A sink for TensorBoard: an event file with figures, histograms, pictures and texts. Where bytes go is the caller's
 * business. Messages: event.ts; framing: tfRecord.ts.
 */

import type { KpiSink, LogEntry } from '../kpiLogger.js';
import { describeKpi } from '../kpis.js';
import {
  histogramValue,
  imageValue,
  scalarValue,
  startEvent,
  stepOf,
  summaryEvent,
  textValue,
  versionEvent,
} from './event.js';
import { join } from './protobuf.js';
import { frameRecord, readRecords } from './tfRecord.js';

/** Appends bytes. The host's file writer is one; `write` may wait for `flush` to reach the disk. */
export interface ByteWriter {
  write(bytes: Uint8Array): void;
  flush(): void;
  close(): void;
}

export interface TensorboardOptions {
  /** Time of day in milliseconds since 1970. Default `Date.now`. */
  readonly now?: () => number;
  /** Step at which a resumed run goes on: TensorBoard forgets what it has seen of this step and later ones. */
  readonly resumedAt?: number;
}

/**
 * Writes the event file of one process: a resumed run begins a new file in the same folder.
 *
 * Figures are float32 there. Name, unit and direction of a figure come with its first value.
 */
export function tensorboardSink(writer: ByteWriter, options: TensorboardOptions = {}): KpiSink {
  const { now = Date.now, resumedAt } = options;
  const described = new Set<string>();
  const emit = (event: Uint8Array): void => writer.write(frameRecord(event));
  const summary = ({ step }: LogEntry, value: Uint8Array): void => emit(summaryEvent(now() / 1000, step, value));
  emit(versionEvent(now() / 1000));
  if (resumedAt !== undefined) emit(startEvent(now() / 1000, resumedAt));
  return {
    write: (entry, kpi) => {
      const description = described.has(entry.name) ? undefined : describeKpi(kpi);
      described.add(entry.name);
      summary(entry, scalarValue(entry.name, entry.value, description));
    },
    histogram: (entry) => summary(entry, histogramValue(entry.name, entry.histogram)),
    image: (entry) => summary(entry, imageValue(entry.name, entry.image)),
    text: (entry) => summary(entry, textValue(entry.name, entry.text)),
    flush: () => writer.flush(),
    close: () => writer.close(),
  };
}

/**
 * An event file as it was when `step` had been logged. What a kill left unfinished at the end, and everything from a
 * damaged record on, is left out too: event files are a copy for TensorBoard, and metrics.jsonl has the figures.
 */
export function truncateEventsAfterStep(bytes: Uint8Array, step: number): Uint8Array {
  const { records } = readRecords(bytes);
  return join(...records.filter((event) => stepOf(event) <= step).map(frameRecord));
}
