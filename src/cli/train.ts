/**
 * `keyhole train`: trains a task into a run folder, evaluates the best weights on held-out data, and writes the report.
 * Next: runLogs.ts (what is logged), summary.ts (what is shown at the end).
 */

import { Command } from 'commander';
import type { Backend } from '../backend/contract.js';
import { loadBackend } from '../backend/registry.js';
import { UsageError } from '../core/errors.js';
import { summariseAttention } from '../monitor/attentionSummary.js';
import { resolveConfig } from '../tasks/config.js';
import { findPreset, findTask, tasks } from '../tasks/registry.js';
import type { Config, OpenTask, Task } from '../tasks/task.js';
import { trainTask } from '../tasks/trainTask.js';
import { setBackend } from '../tensor/create.js';
import type { TrainResult } from '../train/options.js';
import { createRun, type Run, resumeRun } from '../train/run.js';
import type { RunDescription } from '../train/runRecord.js';
import { kpisOf } from './figures.js';
import { keysText } from './keysText.js';
import { Output } from './output.js';
import { shownPath } from './paths.js';
import { progressView } from './progress.js';
import { RunLogs } from './runLogs.js';
import { StepProfile } from './stepProfile.js';
import { finish } from './summary.js';
import { untilSignal } from './untilSignal.js';
import { packageVersion } from './version.js';

interface TrainFlags {
  readonly preset?: string;
  readonly set?: readonly string[];
  readonly seed?: string;
  readonly run?: string;
  readonly resume?: boolean;
  readonly profile?: boolean;
  readonly json?: boolean;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('Trains a task and writes a run folder: logs, checkpoints, report.html.')
    .argument('<task>', `one of: ${Object.keys(tasks).join(', ')}`)
    .option('--preset <name>', 'configuration to start from (default: quick)')
    .option('--set <key=value...>', 'override keys of the configuration')
    .option('--seed <number>', 'short for --set seed=<number>')
    .option('--run <folder>', 'folder of the run (default: a new one in runs/; with --resume: runs/latest)')
    .option('--resume', 'go on from the last checkpoint of the run, with its configuration')
    .option('--profile', 'measure the time spent in each kernel')
    .option('--json', 'print one JSON object at the end')
    .addHelpText('after', `\nExample:\n  keyhole train g2p --preset quick --set steps=200 width=64`)
    .addHelpText('after', ({ command }) => keysText(command.args[0]))
    .action(train);
}

async function train(taskName: string, flags: TrainFlags): Promise<void> {
  const task = findTask(taskName);
  const output = new Output(flags);
  const config = flags.resume ? undefined : configFrom(task, flags);
  const loaded = await loadBackend();
  const profile = flags.profile ? new StepProfile(loaded) : undefined;
  const backend = profile?.backend ?? loaded;
  setBackend(backend);
  const { run, open } = config ? await begin(task, config, backend, flags) : await goOn(task, flags);
  try {
    introduce(run, open, backend, output);
    const logs = new RunLogs(run, () => profile?.skip(), kpisOf(task));
    const result = await trainWithProgress({ task, run, open, logs, output, profile, resume: flags.resume ?? false });
    finish({ trained: task, run, open, backend, logs, result, output, profile });
    if (result.status === 'stopped') process.exitCode = 1;
  } finally {
    run.close();
  }
}

function configFrom(task: Task, { preset = 'quick', set = [], seed }: TrainFlags): Config {
  const overrides = seed === undefined ? set : [...set, `seed=${seed}`];
  return resolveConfig(task.name, task.schema, findPreset(task, preset), overrides);
}

interface Opened {
  readonly run: Run;
  readonly open: OpenTask;
}

async function begin(task: Task, config: Config, { info }: Backend, flags: TrainFlags): Promise<Opened> {
  const open = await task.open(config);
  const description = {
    task: task.name,
    configuration: config,
    seed: Number(config.seed),
    versions: { keyhole: packageVersion(), node: process.versions.node },
    backend: info.backend,
    target: info.target,
    vocabularies: open.vocabularies,
  } as RunDescription;
  return { run: createRun(description, { folder: flags.run }), open };
}

async function goOn(task: Task, flags: TrainFlags): Promise<Opened> {
  const { preset, set, seed, run: folder = 'runs/latest' } = flags;
  if (preset !== undefined || set !== undefined || seed !== undefined) {
    throw new UsageError(
      'train: expected --resume alone, got --preset, --set or --seed; a run keeps its configuration',
    );
  }
  const run = resumeRun(folder);
  try {
    const { task: trained, configuration } = run.record;
    if (trained !== task.name)
      throw new UsageError(`train: expected a run of ${task.name} in ${folder}, got one of ${trained}`);
    return { run, open: await task.open(resolveConfig(task.name, task.schema, configuration)) };
  } catch (error) {
    run.close();
    throw error;
  }
}

function introduce(run: Run, open: OpenTask, { info }: Backend, output: Output): void {
  const { backend, target, threads } = info;
  output.line(`run ${shownPath(run.folder)}`);
  output.line(
    `${open.model.parameterCount().toLocaleString('en')} parameters · ${backend} (${target}), ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
  );
  for (const notice of open.notices) output.line(`note: ${notice}`);
  if (run.record.target !== target) {
    output.line(`note: the run began on ${run.record.target}; on ${target} it goes on, but not to the same bits`);
  }
}

interface Training extends Opened {
  readonly task: Task;
  readonly logs: RunLogs;
  readonly output: Output;
  readonly profile: StepProfile | undefined;
  readonly resume: boolean;
}

async function trainWithProgress({ task, run, open, logs, output, profile, resume }: Training): Promise<TrainResult> {
  const view = progressView(output.stream);
  const { metric } = task.decides;
  logs.onEvaluation = (step, figures) =>
    view.line(
      `step ${step}: validation loss ${fixed(figures['validation/loss'])}, ${metric} ${fixed(figures[`validation/${metric}`])}`,
    );
  profile?.skip();
  try {
    return await untilSignal((signal) =>
      trainTask({
        ...{ task, open, run, resume, signal },
        config: run.record.configuration,
        log: logs,
        onAttention: (step, captured) => logs.attention(step, summariseAttention(captured)),
        onProgress: (progress) => {
          profile?.step();
          view.update(progress);
        },
        onResume: (step, notices) => {
          logs.cutAfter(step);
          view.line(`going on from step ${step}`);
          for (const notice of notices) view.line(`note: ${notice}`);
        },
      }),
    );
  } finally {
    view.stop();
    logs.close();
  }
}

function fixed(value: number | undefined): string {
  return (value ?? Number.NaN).toFixed(4);
}
