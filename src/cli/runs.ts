/**
 * `keyhole runs`: the runs there are, with their figures; below it, `compare` (runsCompare.ts) and `export`
 * (runsExport.ts). How a log becomes one number a figure: runFigures.ts.
 */

import { Command } from 'commander';
import { KeyholeError, UsageError } from '../core/errors.js';
import { tasks } from '../tasks/registry.js';
import { hostFiles } from '../train/files.js';
import { figureNumber } from './figures.js';
import { Output } from './output.js';
import { shownPath } from './paths.js';
import { type FinalFigure, plainFigures, type RunFigures, readRunFigures } from './runFigures.js';
import { compareCommand } from './runsCompare.js';
import { exportCommand } from './runsExport.js';

interface RunsFlags {
  readonly root: string;
  readonly json?: boolean;
}

/** A run, or why it could not be read. */
type Listed = RunFigures | { readonly folder: string; readonly problem: string };

const examples = `
Example:
  keyhole runs
  keyhole runs compare runs/before runs/latest --fail-if "validation/loss > baseline + 0.02"
  keyhole runs export runs/latest --format csv --out metrics.csv`;

export function runsCommand(): Command {
  return new Command('runs')
    .description('Lists runs with their figures; compares and exports them.')
    .option('--root <folder>', 'folder of all runs', 'runs')
    .option('--json', 'print one JSON object')
    .addHelpText('after', examples)
    .addCommand(compareCommand())
    .addCommand(exportCommand())
    .action(list);
}

function list({ root, json }: RunsFlags): void {
  const output = new Output({ json });
  if (!hostFiles.exists(root)) {
    if (root !== 'runs') throw new UsageError(`runs: expected a folder of runs at ${root}, got nothing there`);
    output.line('No runs yet; begin with keyhole train.');
    output.result({ runs: [] });
    return;
  }
  const found = foldersIn(root).map(readListed);
  output.table([
    ['run', 'task', 'status', 'steps', ...columnsOf(found)],
    ...found.map((run) => rowOf(run, columnsOf(found))),
  ]);
  for (const run of found) {
    const notes = 'problem' in run ? [run.problem] : run.notes;
    for (const note of notes) output.line(`note: ${'problem' in run ? run.folder : run.name}: ${note}`);
  }
  output.result({ runs: found.map(plainListed) });
}

/** Folders that hold a run; pointers such as `latest` are left out. */
function foldersIn(root: string): string[] {
  const real = hostFiles.realPath(root);
  return hostFiles
    .list(root)
    .map((name) => `${real}/${name}`)
    .filter((path) => hostFiles.exists(`${path}/run.json`) && hostFiles.realPath(path) === path);
}

function readListed(folder: string): Listed {
  try {
    return readRunFigures(folder);
  } catch (error) {
    if (error instanceof KeyholeError) return { folder: shownPath(folder), problem: error.message };
    throw error;
  }
}

/** What people want to see of every run: the loss, what its task is judged by, and two speeds. */
function columnsOf(runs: readonly Listed[]): string[] {
  const judged = runs.flatMap((run) => ('problem' in run ? [] : (tasks[run.run.record.task]?.decides.metric ?? [])));
  const wanted = ['validation/loss', ...judged.flatMap((metric) => [`validation/${metric}`, `test/${metric}`])];
  const names = new Set([...wanted, 'train/tokensPerSecond', 'inference/latencyP50Ms']);
  return [...names].filter((name) => runs.some((run) => 'figures' in run && run.figures.has(name)));
}

function rowOf(run: Listed, columns: readonly string[]): string[] {
  if ('problem' in run) return [run.folder, '', 'unreadable', '', ...columns.map(() => '')];
  const { task, status } = run.run.record;
  return [run.name, task, status, String(run.steps), ...columns.map((name) => shown(run.figures.get(name)))];
}

function shown(figure: FinalFigure | undefined): string {
  return figure === undefined ? '' : figureNumber(figure.value, figure.unit);
}

function plainListed(listed: Listed): object {
  if ('problem' in listed) return { run: listed.folder, problem: listed.problem };
  const { run, steps, notes } = listed;
  const { task, status, startedAt } = run.record;
  return { run: shownPath(run.folder), task, status, startedAt, steps, kpis: plainFigures(listed), notes };
}
