/**
 * What a report shows, as plain data: filled from a run folder (run.json, metrics.jsonl, attention.jsonl) and from a
 * few sample words. Everything here can be written as JSON, apart from NaN.
 */

import type { Finding } from '../core/finding.js';
import type { AttentionPicture } from '../core/records.js';
import type { HealthPoint } from './healthData.js';

/** One line of metrics.jsonl. Names of the form `split/metric` are drawn together, one curve a split. */
export interface MetricPoint {
  readonly step: number;
  readonly name: string;
  /** NaN and null leave a gap. */
  readonly value: number | null;
  readonly unit: string;
}

/** One final figure. */
export interface ReportFigure {
  /** In words, such as `phoneme error rate`. */
  readonly name: string;
  /** NaN or null shows as `none`. */
  readonly value: number | null;
  /** As shown behind the value: `%`, `nats`, `tokens/s`, `ms`; empty for plain counts. */
  readonly unit: string;
}

/** One input with what the model made of it. */
export interface ReportSample {
  readonly input: string;
  readonly predicted: string;
  /** Known right answers; any of them counts. Empty when there are none. */
  readonly references: readonly string[];
  /** Undefined when there are no references. */
  readonly correct?: boolean;
  /** All heads of all layers to be shown. */
  readonly pictures: readonly AttentionPicture[];
  /** The head to show first; default the head that is most selective over all samples (selective.ts). */
  readonly chosen?: { readonly path: string; readonly head: number };
}

/** How fast the model answers. */
export interface ReportSpeed {
  /** Times in milliseconds, one line each, such as `one input, warm`. */
  readonly latencies: readonly {
    readonly name: string;
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
  }[];
  /** Inputs answered a second, for so many at once of one length. */
  readonly throughput: readonly { readonly batch: number; readonly length: number; readonly inputsPerSecond: number }[];
  /** What was measured where, in a sentence. */
  readonly note: string;
}

/** Everything a report shows. */
/** A table of names and numbers; the first column names the row. */
export interface ReportTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface ReportData {
  /** Name of the run. */
  readonly run: string;
  readonly task: string;
  readonly status: 'running' | 'finished' | 'diverged' | 'stopped';
  /** When it began, ready to be shown. */
  readonly started?: string;
  /** Names and values of the configuration worth showing, in order. */
  readonly configuration: readonly { readonly name: string; readonly value: string }[];
  readonly figures: readonly ReportFigure[];
  /** Figures that take more than one number. */
  readonly tables?: readonly ReportTable[];
  /** What the tokens of both sides are: letters and sounds. */
  readonly axes: { readonly input: string; readonly output: string };
  readonly samples: readonly ReportSample[];
  readonly metrics: readonly MetricPoint[];
  readonly attention: readonly HealthPoint[];
  /** What the attention doctor found in it. */
  readonly findings?: readonly Finding[];
  /** Left out until it was measured. */
  readonly speed?: ReportSpeed;
}
