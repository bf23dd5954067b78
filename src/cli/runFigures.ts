/**
 * A run's log in one number a figure. Of validation, the value at the step whose weights were kept; of throughput, the
 * mean over the run; of everything else the last value. What `keyhole eval` found on the same weights comes on
 * top, but for validation, where runs are compared on the sample that training used.
 */

import { parseKpiLog } from '../monitor/kpiLines.js';
import type { KpiEntry } from '../monitor/kpiLogger.js';
import { kpiOrPlain } from '../monitor/kpis.js';
import { tasks } from '../tasks/registry.js';
import type { Task } from '../tasks/task.js';
import { hostFiles } from '../train/files.js';
import { type Best, judge } from '../train/progress.js';
import { openRun, type Run } from '../train/run.js';
import { readEvaluation } from './evaluationFile.js';

/** One figure of a run. */
export interface FinalFigure {
  readonly value: number;
  readonly unit: string;
  readonly step: number;
}

/** A run as far as its figures go. */
export interface RunFigures {
  readonly run: Run;
  /** Name of the folder. */
  readonly name: string;
  readonly entries: readonly KpiEntry[];
  readonly figures: ReadonlyMap<string, FinalFigure>;
  /** The last step that was logged; 0 for none. */
  readonly steps: number;
  /** What a reader of the figures should know, one line each. */
  readonly notes: readonly string[];
}

/**
 * Reads a run. Errors: those of `openRun`; FormatError for a damaged log.
 */
export function readRunFigures(path: string): RunFigures {
  const run = openRun(path);
  const log = run.path('metrics.jsonl');
  const { entries, unfinished } = parseKpiLog(hostFiles.exists(log) ? hostFiles.readText(log) : '', log);
  const evaluated = evaluatedFigures(run, bestStep(run, entries));
  const notes = [
    ...(entries.length === 0 ? ['no figures were logged'] : []),
    ...(unfinished ? ['the last line of metrics.jsonl was cut off by a kill and is left out'] : []),
    ...evaluated.notes,
  ];
  const figures = new Map([...loggedFigures(run, entries), ...evaluated.figures]);
  const name = run.folder.split('/').at(-1) ?? run.folder;
  return { run, name, entries, figures, steps: entries.reduce((last, { step }) => Math.max(last, step), 0), notes };
}

function loggedFigures(run: Run, entries: readonly KpiEntry[]): Map<string, FinalFigure> {
  const best = bestStep(run, entries);
  const figures = new Map<string, FinalFigure>();
  for (const { name, value, unit, step } of entries) {
    if (name.startsWith('validation/') && best !== undefined && step > best && figures.has(name)) continue;
    figures.set(name, { value, unit, step });
  }
  const last = figures.get('train/tokensPerSecond');
  if (last) figures.set('train/tokensPerSecond', { ...last, value: meanRate(entries) });
  return figures;
}

/** Tokens a second over the whole training, 0 without any: the harmonic mean, for intervals hold about as many tokens each. */
export function meanRate(entries: readonly KpiEntry[]): number {
  const rates = entries.filter(({ name }) => name === 'train/tokensPerSecond');
  const slowness = rates.reduce((sum, { value }) => sum + 1 / value, 0);
  return rates.length === 0 ? 0 : rates.length / slowness;
}

function taskOf({ record }: Run): Task | undefined {
  return Object.hasOwn(tasks, record.task) ? tasks[record.task] : undefined;
}

/** The step that the training loop took for the best, found as it does; undefined for a task that is not known here. */
function bestStep(run: Run, entries: readonly KpiEntry[]): number | undefined {
  const task = taskOf(run);
  if (task === undefined) return undefined;
  const { metric, better } = task.decides;
  const name = `validation/${metric}`;
  const found = entries
    .filter((entry) => entry.name === name)
    .reduce<Best | null>(
      (best, { step, value }) => judge(best, step, value, { metric: name, better, patience: 0 }),
      null,
    );
  return found?.step;
}

/** What eval found on the data that the task is judged on and about speed, if it is about the weights that count. */
function evaluatedFigures(
  run: Run,
  best: number | undefined,
): { readonly figures: ReadonlyMap<string, FinalFigure>; readonly notes: readonly string[] } {
  const evaluation = readEvaluation(run, taskOf(run)?.judgedOn ?? 'test');
  if (evaluation === undefined) return { figures: new Map(), notes: [] };
  const { step, figures } = evaluation;
  if (best !== undefined && step !== best) {
    const note = `the evaluation of step ${step} is left out, the best weights are now those of step ${best}; run keyhole eval again`;
    return { figures: new Map(), notes: [note] };
  }
  const own = Object.entries(figures).filter(([name]) => !name.startsWith('validation/'));
  const entries = own.map(([name, value]) => {
    return [name, { value, unit: kpiOrPlain(name, '').unit, step }] as const;
  });
  return { figures: new Map(entries), notes: [] };
}

/** Values by name, for JSON, which writes null for those that are no numbers. */
export function plainFigures({ figures }: RunFigures): Readonly<Record<string, number>> {
  return Object.fromEntries([...figures].map(([name, { value }]) => [name, value]));
}
