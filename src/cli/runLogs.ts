/**
 * The logs of a run as the training loop sees them: `metrics.jsonl` and `attention.jsonl`, which are the run's memory,
 * and an event file for TensorBoard. Names of figures are put into phases, and what a resumed run will write again is
 * cut off first. What else is logged at an evaluation: evaluationLog.ts.
 */

import type { CapturedAttention } from '../core/records.js';
import { type AttentionEntry, AttentionLog, parseAttentionLog } from '../monitor/attentionLog.js';
import { summariseAttention } from '../monitor/attentionSummary.js';
import { truncateAfterStep } from '../monitor/jsonLines.js';
import { jsonLinesSink, parseKpiLog } from '../monitor/kpiLines.js';
import { type KpiEntry, KpiLogger, type KpiSink } from '../monitor/kpiLogger.js';
import type { Phase } from '../monitor/kpis.js';
import { tensorboardSink, truncateEventsAfterStep } from '../monitor/tensorboard/tensorboardSink.js';
import type { Answer } from '../tasks/task.js';
import { hostFiles } from '../train/files.js';
import type { Figures, TrainingLog } from '../train/options.js';
import type { Run } from '../train/run.js';
import { logEntropies, logSamples } from './evaluationLog.js';

const [metricsFile, attentionFile] = ['metrics.jsonl', 'attention.jsonl'];
const eventFile = /^events\.out\.tfevents\./;

export interface RunLogOptions {
  /** Held-out inputs and what the model makes of them; logged at every evaluation as text and pictures. */
  readonly sample?: () => readonly Answer[];
  /** Called at the end of every evaluation. */
  readonly afterEvaluation?: () => void;
  /** Where figures go beside the files of the run. */
  readonly sinks?: readonly KpiSink[];
  /** Default true. */
  readonly tensorboard?: boolean;
}

interface Writers {
  readonly kpis: KpiLogger;
  readonly attention: AttentionLog;
}

export class RunLogs implements TrainingLog {
  /** Called when figures on held-out data were logged. */
  onEvaluation: (step: number, figures: Figures) => void = () => {};
  readonly #run: Run;
  readonly #options: RunLogOptions;
  readonly #startMs = performance.now();
  #resumedAt: number | undefined;
  #writers: Writers | undefined;

  constructor(run: Run, options: RunLogOptions = {}) {
    this.#run = run;
    this.#options = options;
  }

  record(step: number, figures: Figures): void {
    const { kpis } = this.#open();
    for (const [phase, part] of byPhase(figures)) kpis.write(step, phase, part);
    if (!('validation/loss' in figures)) return;
    logSamples(kpis, step, this.#options.sample?.() ?? []);
    this.onEvaluation(step, figures);
    this.#options.afterEvaluation?.();
  }

  attention(step: number, captured: readonly CapturedAttention[]): void {
    const { kpis, attention } = this.#open();
    attention.write(step, summariseAttention(captured));
    logEntropies(kpis, step, captured);
  }

  flush(): void {
    this.#writers?.attention.flush();
    this.#writers?.kpis.flush();
  }

  close(): void {
    const writers = this.#writers;
    this.#writers = undefined;
    try {
      writers?.attention.close();
    } finally {
      writers?.kpis.close();
    }
  }

  /** Forgets what was logged after a step. */
  cutAfter(step: number): void {
    for (const name of [metricsFile, attentionFile] as const) {
      const text = this.#text(name);
      const kept = truncateAfterStep(text, step, name);
      if (kept !== text) this.#run.write(name, kept);
    }
    for (const name of hostFiles.list(this.#run.folder).filter((name) => eventFile.test(name))) {
      const bytes = hostFiles.readBytes(this.#run.path(name));
      const kept = truncateEventsAfterStep(bytes, step);
      if (kept.length !== bytes.length) this.#run.write(name, kept);
    }
    this.#resumedAt = step + 1;
  }

  /** Everything logged so far. */
  metrics(): readonly KpiEntry[] {
    return parseKpiLog(this.#text(metricsFile)).entries;
  }

  attentionEntries(): readonly AttentionEntry[] {
    return parseAttentionLog(this.#text(attentionFile)).entries;
  }

  #open(): Writers {
    this.#writers ??= {
      kpis: new KpiLogger({
        sinks: this.#sinks(),
        elapsedMs: (this.metrics().at(-1)?.wallTimeMs ?? 0) + performance.now() - this.#startMs,
      }),
      attention: new AttentionLog(this.#run.lines(attentionFile)),
    };
    return this.#writers;
  }

  #sinks(): readonly KpiSink[] {
    const { sinks = [], tensorboard = true } = this.#options;
    const lines = jsonLinesSink(this.#run.lines(metricsFile));
    const resumed = this.#resumedAt === undefined ? {} : { resumedAt: this.#resumedAt };
    // Seconds since 1970 in ten digits, so that TensorBoard reads the files of a resumed run in the order of their names.
    const name = `events.out.tfevents.${Math.floor(Date.now() / 1000)}.keyhole`;
    return tensorboard ? [lines, tensorboardSink(this.#run.bytes(name), resumed), ...sinks] : [lines, ...sinks];
  }

  #text(name: string): string {
    const path = this.#run.path(name);
    return hostFiles.exists(path) ? hostFiles.readText(path) : '';
  }
}

/** `validation/loss` belongs to validation; a bare name to training, where `trainLoss` is its loss. */
function byPhase(figures: Figures): Map<Phase, Record<string, number>> {
  const phases = new Map<Phase, Record<string, number>>();
  for (const [name, value] of Object.entries(figures)) {
    const [phase, figure] = name.includes('/') ? name.split('/') : ['train', name === 'trainLoss' ? 'loss' : name];
    const part = phases.get(phase as Phase) ?? {};
    part[figure as string] = value;
    phases.set(phase as Phase, part);
  }
  return phases;
}
