/**
 * `keyhole train`: trains a task into a run folder, evaluates the best weights on held-out data, and writes the report.
 * Next: runLogs.ts (what is logged), summary.ts (what is shown at the end).
 */

import { Command, Option } from 'commander';
import type { Backend } from '../backend/contract.js';
import { loadBackend } from '../backend/registry.js';
import { UsageError } from '../core/errors.js';
import { resolveConfig } from '../tasks/config.js';
import { startFrom, vocabulariesOf } from '../tasks/fineTune.js';
import type { MemoryEstimate } from '../tasks/memory.js';
import { findPreset, findTask, tasks } from '../tasks/registry.js';
import type { Config, OpenTask, Task } from '../tasks/task.js';
import { trainTask } from '../tasks/trainTask.js';
import { setBackend } from '../tensor/create.js';
import type { TrainingLog, TrainResult } from '../train/options.js';
import { createRun, openRun, type Run, resumeRun } from '../train/run.js';
import type { RunDescription } from '../train/runRecord.js';
import { chosenSinks } from './chosenSinks.js';
import { readConfigFile } from './configFile.js';
import { findRateOf } from './findRate.js';
import { describe, requireFit } from './fit.js';
import { keysText } from './keysText.js';
import { Output } from './output.js';
import { shownPath } from './paths.js';
import { type ProgressView, progressView } from './progress.js';
import { RunLogs } from './runLogs.js';
import { StepProfile } from './stepProfile.js';
import { finish } from './summary.js';
import { type CheckMode, TrainingCheck } from './trainingCheck.js';
import { untilSignal } from './untilSignal.js';
import { packageVersion } from './version.js';

interface TrainFlags {
  readonly preset?: string;
  readonly config?: string;
  readonly set?: readonly string[];
  readonly seed?: string;
  readonly run?: string;
  readonly resume?: boolean;
  readonly from?: string;
  readonly findRate?: boolean;
  readonly profile?: boolean;
  readonly check?: CheckMode;
  readonly json?: boolean;
}

export function trainCommand(): Command {
  return new Command('train')
    .description('Trains a task and writes a run folder: logs, checkpoints, report.html.')
    .argument('<task>', `one of: ${Object.keys(tasks).join(', ')}`)
    .option('--preset <name>', 'configuration to start from (default: quick)')
    .option('--config <file>', 'keys in YAML or JSON, over the preset; or the run.json of a run to repeat')
    .option('--set <key=value...>', 'override keys of the configuration')
    .option('--seed <number>', 'short for --set seed=<number>')
    .option('--run <folder>', 'folder of the run (default: a new one in runs/; with --resume: runs/latest)')
    .option('--from <run>', 'start from the best weights of another run of the task')
    .option('--find-rate', 'sweep the learning rate instead of training, and draw the loss over it')
    .option('--resume', 'go on from the last checkpoint of the run, with its configuration')
    .addOption(
      new Option(
        '--check <mode>',
        'look at attention at every evaluation: warn, or stop on leaks, NaN and huge logits',
      ).choices(['warn', 'stop']),
    )
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
  if (config && flags.findRate) return findRateOf(task, await task.open(config), config, output);
  const { run, open, anew, memory } = config ? await begin(task, config, backend, flags) : await goOn(task, flags);
  try {
    introduce(run, open, backend, output);
    output.line(`memory ${describe(memory)}`);
    if (anew.length > 0) output.line(`note: not in ${flags.from}, so they start anew: ${anew.join(', ')}`);
    const view = progressView(output.stream);
    const sinks = await chosenSinks(run, (line) => view.line(line));
    const logs = new RunLogs(run, {
      ...sinks,
      sample: () => open.samples.slice(0, 1).map((input) => open.answer(input, { attention: true })),
      afterEvaluation: () => profile?.skip(),
    });
    const { resume = false, check } = flags;
    const result = await trainWithProgress({ task, run, open, logs, view, profile, resume, check });
    finish({ trained: task, run, open, backend, logs, result, output, profile });
    await sinks.settled();
    if (result.status === 'stopped') process.exitCode = 1;
  } finally {
    run.close();
  }
}

function configFrom(task: Task, { preset = 'quick', config, set = [], seed }: TrainFlags): Config {
  const overrides = seed === undefined ? set : [...set, `seed=${seed}`];
  const keys = { ...findPreset(task, preset), ...(config !== undefined && readConfigFile(task, config)) };
  return resolveConfig(task.name, task.schema, keys, overrides);
}

interface Opened {
  readonly run: Run;
  readonly open: OpenTask;
  /** Parameters that --from did not have. */
  readonly anew: readonly string[];
  readonly memory: MemoryEstimate;
}

async function begin(task: Task, config: Config, { info }: Backend, flags: TrainFlags): Promise<Opened> {
  const from = flags.from === undefined ? undefined : openRun(flags.from);
  const open = await task.open(config, from && vocabulariesOf(from, task));
  const anew = from ? startFrom(from, open.model) : [];
  const memory = requireFit(open, config);
  const description = {
    task: task.name,
    configuration: config,
    seed: Number(config.seed),
    versions: { keyhole: packageVersion(), node: process.versions.node },
    backend: info.backend,
    target: info.target,
    ...(from && { from: from.folder }),
    vocabularies: open.vocabularies,
  } as RunDescription;
  const run = createRun(description, { folder: flags.run });
  for (const [name, text] of Object.entries(open.files ?? {})) run.write(name, text);
  return { run, open, anew, memory };
}

async function goOn(task: Task, flags: TrainFlags): Promise<Opened> {
  const { run: folder = 'runs/latest' } = flags;
  const given = (['preset', 'config', 'set', 'seed', 'from'] as const).filter((name) => flags[name] !== undefined);
  if (given.length > 0) {
    throw new UsageError(`train: expected --resume alone, got --${given.join(', --')}; a run keeps its configuration`);
  }
  const run = resumeRun(folder);
  try {
    const { task: trained, configuration, vocabularies } = run.record;
    if (trained !== task.name)
      throw new UsageError(`train: expected a run of ${task.name} in ${folder}, got one of ${trained}`);
    const open = await task.open(resolveConfig(task.name, task.schema, configuration), vocabularies);
    return { run, open, anew: [], memory: requireFit(open, configuration) };
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

interface Training extends Omit<Opened, 'anew' | 'memory'> {
  readonly task: Task;
  readonly logs: RunLogs;
  readonly view: ProgressView;
  readonly profile: StepProfile | undefined;
  readonly resume: boolean;
  readonly check: CheckMode | undefined;
}

async function trainWithProgress(training: Training): Promise<TrainResult> {
  const { task, run, open, logs, view, profile, resume, check: mode } = training;
  const { metric } = task.decides;
  const check = mode && new TrainingCheck(mode, (line) => view.line(line));
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
        log: check ? watched(logs, check) : logs,
        onAttention: (step, captured) => {
          logs.attention(step, captured);
          check?.after(step, captured);
        },
        onProgress: (progress) => {
          profile?.step();
          view.update(progress);
        },
        onAlarm: ({ message }) => view.line(`alarm: ${message}`),
        onResume: (step, notices) => {
          logs.cutAfter(step);
          check?.remember(logs.attentionEntries());
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

/** The log, with gradient norms shown to the doctor as well. */
function watched(logs: RunLogs, check: TrainingCheck): TrainingLog {
  return {
    record(step, figures) {
      const norm = figures['train/gradientNorm'];
      if (norm !== undefined) check.gradientNorm(step, norm);
      logs.record(step, figures);
    },
    flush: () => logs.flush(),
  };
}

function fixed(value: number | undefined): string {
  return (value ?? Number.NaN).toFixed(4);
}
