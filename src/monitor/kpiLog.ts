/**
 * The log of key figures: `metrics.jsonl` and whatever other sinks are given. Knows names, units and time; where lines
 * go is the caller's business. Names: kpis.ts; the format of lines: jsonLines.ts.
 */

import { StateError } from '../core/errors.js';
import {
  decodeNumber,
  encodeNumber,
  isStep,
  type LineWriter,
  type ParsedLines,
  parseLines,
  type RawEntry,
} from './jsonLines.js';
import { type KpiTable, kpiOf, type Phase, standardKpis } from './kpis.js';

/** One figure at one step. */
export interface KpiEntry {
  /** Finished optimiser steps. */
  readonly step: number;
  /** Time spent on the run so far, across resumes. */
  readonly wallTimeMs: number;
  /** `<phase>/<figure>`. */
  readonly name: string;
  /** Not finite when a run diverges. */
  readonly value: number;
  readonly unit: string;
}

/** Where entries go: a file, a panel, an event stream. */
export interface KpiSink {
  write(entry: KpiEntry): void;
  flush(): void;
  close(): void;
}

export interface KpiLogOptions {
  readonly sinks: readonly KpiSink[];
  /** Figures that may be logged; the standard ones by default. */
  readonly kpis?: KpiTable;
  /** Time that the run had taken before this process, for a resumed run. */
  readonly elapsedMs?: number;
  /** A clock in milliseconds, from any zero. */
  readonly clock?: () => number;
}

/** Writes figures to every sink. */
export class KpiLog {
  readonly #sinks: readonly KpiSink[];
  readonly #kpis: KpiTable;
  readonly #clock: () => number;
  readonly #zeroMs: number;

  constructor({ sinks, kpis = standardKpis, elapsedMs = 0, clock = () => performance.now() }: KpiLogOptions) {
    this.#sinks = sinks;
    this.#kpis = kpis;
    this.#clock = clock;
    this.#zeroMs = clock() - elapsedMs;
  }

  /** Time spent on the run so far, across resumes. */
  get elapsedMs(): number {
    return this.#clock() - this.#zeroMs;
  }

  /**
   * Logs the figures of one phase at one step, with one time. Nothing is written when one of them is refused.
   * Errors: StateError for a figure that is not registered, or a step that is not a whole number.
   */
  write(step: number, phase: Phase, figures: Readonly<Record<string, number>>): void {
    if (!isStep(step)) throw new StateError(`KpiLog.write: expected a whole step >= 0, got ${step}`);
    const wallTimeMs = Math.round(this.elapsedMs);
    const entries = Object.entries(figures).map(([figure, value]) => {
      const name = `${phase}/${figure}`;
      return { step, wallTimeMs, name, value, unit: kpiOf(name, this.#kpis).unit };
    });
    for (const entry of entries) for (const sink of this.#sinks) sink.write(entry);
  }

  /** Returns when everything written is where it belongs; call before a checkpoint that counts on it. */
  flush(): void {
    for (const sink of this.#sinks) sink.flush();
  }

  close(): void {
    for (const sink of this.#sinks) sink.close();
  }
}

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
