/**
 * `keyhole compare`: several ways of doing one task, on the same data with the same steps, several seeds each, in
 * processes of their own; one table and one report. Next: comparePlan.ts (what is trained), compareWorkers.ts (how).
 */

import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { loadBackend } from '../backend/registry.js';
import { UsageError } from '../core/errors.js';
import { resolveConfig } from '../tasks/config.js';
import { findPreset, findTask, tasks } from '../tasks/registry.js';
import type { Config, Task } from '../tasks/task.js';
import { setBackend } from '../tensor/create.js';
import { hostFiles } from '../train/files.js';
import { runName } from '../train/runName.js';
import { type Job, jobsOf, type Variant, variantsOf } from './comparePlan.js';
import { compareReport } from './compareReport.js';
import { comparisonTable, groupTables, resultsOf } from './compareResult.js';
import { CompareTable } from './compareTable.js';
import { figureOf, runJobs, type Trained } from './compareWorkers.js';
import { Output } from './output.js';
import { shownPath } from './paths.js';
import { showTables } from './tables.js';
import { untilSignal } from './untilSignal.js';

interface CompareFlags {
  readonly preset: string;
  readonly set?: readonly string[];
  readonly seeds: string;
  readonly workers?: string;
  readonly variants?: readonly string[];
  readonly only?: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

const examples = `
Example:
  keyhole compare stories --seeds 3
  keyhole compare stories --variants near:window=8 wide:width=128,heads=8 --only near wide`;

export function compareCommand(): Command {
  return new Command('compare')
    .description('Trains pooling, word-level attention and self-attention on the same data, and says what differs.')
    .argument('<task>', `one of: ${Object.keys(tasks).join(', ')}`)
    .option('--preset <name>', 'configuration that all have in common', 'quick')
    .option('--set <key=value...>', 'override keys of the configuration, for all')
    .option('--seeds <number>', 'trainings of each variant', '3')
    .option('--workers <number>', 'trainings at a time, one thread each (default: one a processor)')
    .option('--variants <name:key=value,...>', 'further variants, each some keys over the configuration', collect)
    .option('--only <name...>', 'only these variants, beside the first')
    .option('--out <folder>', 'folder of the runs and of report.html (default: a new one in runs/)')
    .option('--json', 'print one JSON object at the end')
    .addHelpText('after', examples)
    .action(compare);
}

function collect(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}

async function compare(taskName: string, flags: CompareFlags): Promise<void> {
  const task = findTask(taskName);
  const output = new Output(flags);
  const [seeds, workers] = [countOf('seeds', flags.seeds), countOf('workers', flags.workers ?? availableParallelism())];
  const variants = variantsOf(task, flags.variants ?? [], flags.only);
  for (const variant of variants) configOf(task, flags, variant); // wrong keys are found before anything is trained
  const folder = resolve(flags.out ?? join('runs', runName(`compare-${task.name}`, new Date())));
  const { metric } = task.decides;
  const table = new CompareTable(output.stream, variants, seeds);
  const jobs = jobsOf(variants, seeds);
  output.line(`${jobs.length} trainings of ${task.name}, ${workers} at a time; runs in ${shownPath(folder)}`);
  const trained = await untilSignal((signal) =>
    runJobs(jobs, {
      ...{ workers, signal },
      argumentsOf: (job) => argumentsOf(task, flags, job, folder),
      onProgress: (job, line) => table.progress(job, line),
      onResult: (one) => table.result(one.job, figureOf(one, metric)),
    }),
  );
  await finish({ task, flags, variants, trained, folder, seeds, output });
}

interface Compared {
  readonly task: Task;
  readonly flags: CompareFlags;
  readonly variants: readonly Variant[];
  readonly trained: readonly Trained[];
  readonly folder: string;
  readonly seeds: number;
  readonly output: Output;
}

async function finish({ task, flags, variants, trained, folder, seeds, output }: Compared): Promise<void> {
  const { metric } = task.decides;
  const results = resultsOf(variants, trained, metric, (variant) => configOf(task, flags, variant));
  showTables(output, [comparisonTable(results, metric), ...groupTables(results)]);
  setBackend(await loadBackend());
  const firsts = variants.map((variant) => trained.find(({ job }) => job.variant === variant) as Trained);
  const html = await compareReport({ task: task.name, metric, seeds, results, firsts });
  const report = join(folder, 'report.html');
  hostFiles.writeAtomic(report, html);
  output.line();
  output.line(`report ${shownPath(report)}`);
  output.result({ task: task.name, metric, seeds, variants: results, report: shownPath(report) });
}

function configOf(task: Task, { preset, set = [] }: CompareFlags, variant: Variant): Config {
  return resolveConfig(task.name, task.schema, findPreset(task, preset), [...set, ...variant.set]);
}

function argumentsOf(task: Task, { preset, set = [] }: CompareFlags, job: Job, folder: string): readonly string[] {
  const name = job.variant.name.replace(/[^a-z0-9]+/gi, '-');
  const run = join(folder, `${name}-seed-${job.seed}`);
  const keys = [...set, ...job.variant.set, `seed=${job.seed}`];
  return ['train', task.name, '--preset', preset, '--set', ...keys, '--run', run, '--json'];
}

function countOf(name: string, text: string | number): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new UsageError(`--${name}: expected a whole number >= 1, got ${text}`);
}
