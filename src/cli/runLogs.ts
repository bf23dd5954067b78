/**
 * The two logs of a run, `metrics.jsonl` and `attention.jsonl`, as the training loop sees them: names of figures are
 * put into phases, and what a resumed run will write again is cut off first.
 */

import { type AttentionEntry, AttentionLog, parseAttentionLog } from '../monitor/attentionLog.js';
import type { HeadSummary } from '../monitor/attentionSummary.js';
import { truncateAfterStep } from '../monitor/jsonLines.js';
import { jsonLinesSink, type KpiEntry, KpiLog, parseKpiLog } from '../monitor/kpiLog.js';
import { type KpiTable, type Phase, standardKpis } from '../monitor/kpis.js';
import { hostFiles } from '../train/files.js';
import type { Figures, TrainingLog } from '../train/options.js';
import type { Run } from '../train/run.js';

const [metricsFile, attentionFile] = ['metrics.jsonl', 'attention.jsonl'];

interface Writers {
  readonly kpis: KpiLog;
  readonly attention: AttentionLog;
}

export class RunLogs implements TrainingLog {
  /** Called when figures on held-out data were logged. */
  onEvaluation: (step: number, figures: Figures) => void = () => {};
  readonly #run: Run;
  readonly #afterEvaluation: () => void;
  readonly #kpis: KpiTable;
  readonly #startMs = performance.now();
  #writers: Writers | undefined;

  constructor(run: Run, afterEvaluation: () => void = () => {}, kpis: KpiTable = standardKpis) {
    this.#run = run;
    this.#kpis = kpis;
    this.#afterEvaluation = afterEvaluation;
  }

  record(step: number, figures: Figures): void {
    for (const [phase, part] of byPhase(figures)) this.#open().kpis.write(step, phase, part);
    if (!('validation/loss' in figures)) return;
    this.onEvaluation(step, figures);
    this.#afterEvaluation();
  }

  attention(step: number, summaries: readonly HeadSummary[]): void {
    this.#open().attention.write(step, summaries);
  }

  flush(): void {
    this.#writers?.attention.flush();
    this.#writers?.kpis.flush();
  }

  close(): void {
    this.#writers?.attention.close();
    this.#writers?.kpis.close();
    this.#writers = undefined;
  }

  /** Forgets what was logged after a step. */
  cutAfter(step: number): void {
    for (const name of [metricsFile, attentionFile] as const) {
      const text = this.#text(name);
      const kept = truncateAfterStep(text, step, name);
      if (kept !== text) this.#run.write(name, kept);
    }
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
      kpis: new KpiLog({
        kpis: this.#kpis,
        sinks: [jsonLinesSink(this.#run.lines(metricsFile))],
        elapsedMs: (this.metrics().at(-1)?.wallTimeMs ?? 0) + performance.now() - this.#startMs,
      }),
      attention: new AttentionLog(this.#run.lines(attentionFile)),
    };
    return this.#writers;
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
