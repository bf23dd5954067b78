/**
 * One logger for everything a run tells: key figures, and beside them histograms, pictures and texts. Knows names, units
 * and time; sinks know where it goes. Names: kpis.ts. Sinks: kpiLines.ts, consoleSink.ts, prometheus.ts,
 * tensorboard/tensorboardSink.ts.
 */

import { StateError } from '../core/errors.js';
import type { Histogram } from '../metrics/histogram.js';
import { isStep } from './jsonLines.js';
import { type Kpi, type KpiTable, kpiOf, type Phase, standardKpis } from './kpis.js';

/** When and under which name something was logged. */
export interface LogEntry {
  /** Finished optimiser steps. */
  readonly step: number;
  /** Time spent on the run so far, across resumes. */
  readonly wallTimeMs: number;
  /** `<phase>/<figure>` for figures; any path for the rest, such as `attention/entropyRatio/encoder.blocks.0.attention`. */
  readonly name: string;
}

/** One figure at one step. */
export interface KpiEntry extends LogEntry {
  /** Not finite when a run diverges. */
  readonly value: number;
  readonly unit: string;
}

export interface HistogramEntry extends LogEntry {
  readonly histogram: Histogram;
}

/** A PNG file with its size in pixels. */
export interface PngImage {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

export interface ImageEntry extends LogEntry {
  readonly image: PngImage;
}

export interface TextEntry extends LogEntry {
  readonly text: string;
}

/** Where entries go. A sink takes figures; of the other kinds it takes those that it can show. */
export interface KpiSink {
  /** `kpi` says what the figure means: label, unit, which way is better. */
  write(entry: KpiEntry, kpi: Kpi): void;
  histogram?(entry: HistogramEntry): void;
  image?(entry: ImageEntry): void;
  text?(entry: TextEntry): void;
  /** Returns when everything written is where it belongs. */
  flush?(): void;
  close?(): void;
}

export interface KpiLoggerOptions {
  readonly sinks: readonly KpiSink[];
  /** Figures that may be logged; the standard ones by default. */
  readonly kpis?: KpiTable;
  /** Time that the run had taken before this process, for a resumed run. */
  readonly elapsedMs?: number;
  /** A clock in milliseconds, from any zero. */
  readonly clock?: () => number;
}

/** Writes to every sink. */
export class KpiLogger {
  readonly #sinks: readonly KpiSink[];
  readonly #kpis: KpiTable;
  readonly #clock: () => number;
  readonly #zeroMs: number;

  constructor({ sinks, kpis = standardKpis, elapsedMs = 0, clock = () => performance.now() }: KpiLoggerOptions) {
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
    const entries = Object.entries(figures).map(([figure, value]) => {
      const name = `${phase}/${figure}`;
      const kpi = kpiOf(name, this.#kpis);
      return [{ ...this.#at('write', step, name), value, unit: kpi.unit }, kpi] as const;
    });
    for (const [entry, kpi] of entries) for (const sink of this.#sinks) sink.write(entry, kpi);
  }

  /** Logs how some values are distributed. Errors: StateError for a bad step or an empty name; so below. */
  histogram(step: number, name: string, histogram: Histogram): void {
    const entry = { ...this.#at('histogram', step, name), histogram };
    for (const sink of this.#sinks) sink.histogram?.(entry);
  }

  image(step: number, name: string, image: PngImage): void {
    const entry = { ...this.#at('image', step, name), image };
    for (const sink of this.#sinks) sink.image?.(entry);
  }

  text(step: number, name: string, text: string): void {
    const entry = { ...this.#at('text', step, name), text };
    for (const sink of this.#sinks) sink.text?.(entry);
  }

  /** Returns when everything written is where it belongs; call before a checkpoint that counts on it. */
  flush(): void {
    everySink(this.#sinks, (sink) => sink.flush?.());
  }

  close(): void {
    everySink(this.#sinks, (sink) => sink.close?.());
  }

  #at(call: string, step: number, name: string): LogEntry {
    if (!isStep(step)) throw new StateError(`KpiLogger.${call}: expected a whole step >= 0, got ${step}`);
    if (name === '') throw new StateError(`KpiLogger.${call}: expected a name, got none`);
    return { step, wallTimeMs: Math.round(this.elapsedMs), name };
  }
}

/** One sink that fails, a full disk for instance, keeps no other from its turn; the first error is thrown afterwards. */
function everySink(sinks: readonly KpiSink[], call: (sink: KpiSink) => void): void {
  const errors = sinks.flatMap((sink) => {
    try {
      call(sink);
      return [];
    } catch (error) {
      return [error];
    }
  });
  if (errors.length > 0) throw errors[0];
}
