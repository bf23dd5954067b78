/**
 * `keyhole prune`: takes the least important heads out of a run's best weights one by one, shows the metric after each,
 * and writes a new run. How importance is measured: ../tasks/headImportance.ts.
 */

import { Command, InvalidArgumentError } from 'commander';
import { UsageError } from '../core/errors.js';
import { headImportance } from '../tasks/headImportance.js';
import { pruneHead } from '../tasks/pruneHeads.js';
import type { OpenTask, Task } from '../tasks/task.js';
import { storeTensors } from '../train/parameters.js';
import { createRun, type Run } from '../train/run.js';
import type { RunDescription } from '../train/runRecord.js';
import { openModel } from './openModel.js';
import { Output } from './output.js';
import { shownPath } from './paths.js';

interface PruneFlags {
  readonly heads: number;
  readonly run?: string;
  readonly json?: boolean;
}

/** One row of the answer: what the metric is once this head is gone as well. */
interface Pruned {
  readonly path: string;
  readonly head: number;
  readonly importance: number;
  readonly metric: number;
}

/** Examples that importance and metric are measured on. */
const examples = 256;

export function pruneCommand(): Command {
  return new Command('prune')
    .description('Takes the least important heads out of a run and writes a new one.')
    .argument('<run>', 'folder of the run')
    .requiredOption('--heads <number>', 'how many to take out', wholeNumber)
    .option('--run <folder>', 'folder of the new run (default: a new one in runs/)')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  keyhole prune runs/latest --heads 4')
    .action(prune);
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`expected a whole number from 1 on, got ${text}`);
}

async function prune(path: string, { heads, run: folder, json }: PruneFlags): Promise<void> {
  const output = new Output({ json });
  const { run, task, open, step } = await openModel(path, output, { data: true });
  const ranked = headImportance(open.model, open.probes('validation', examples));
  if (heads >= ranked.length) {
    throw new UsageError(`prune: expected --heads below ${ranked.length}, the heads of the model, got ${heads}`);
  }
  const { metric } = task.decides;
  const before = measure(task, open);
  output.line(`${metric} with all ${ranked.length} heads: ${before.toFixed(4)}`);
  const pruned: Pruned[] = ranked.slice(0, heads).map(({ path: layer, head, importance }) => {
    pruneHead(open.model, layer, head);
    const after = measure(task, open);
    output.line(`without ${layer} head ${head}, importance ${importance.toFixed(4)}: ${metric} ${after.toFixed(4)}`);
    return { path: layer, head, importance, metric: after };
  });
  const written = write(run, open, step, folder);
  output.line(`run ${shownPath(written.folder)}`);
  output.result({ from: shownPath(run.folder), run: shownPath(written.folder), metric, before, pruned });
}

function measure({ decides }: Task, open: OpenTask): number {
  return open.evaluate('validation', { sample: examples })[decides.metric] ?? Number.NaN;
}

/** The same run description and one checkpoint; training on from it may bring a head back. */
function write(from: Run, open: OpenTask, step: number, folder: string | undefined): Run {
  const { task, configuration, seed, versions, backend, target, vocabularies } = from.record;
  const description = { task, configuration, seed, versions, backend, target, vocabularies, from: from.folder };
  const run = createRun(description as RunDescription, { folder });
  try {
    for (const [name, text] of Object.entries(open.files ?? {})) run.write(name, text);
    const { checkpoint } = from.checkpoints.load('best');
    run.checkpoints.save({ ...checkpoint, step, bestStep: step, model: storeTensors(open.model.parameters()) });
    run.setStatus('finished');
    return run;
  } finally {
    run.close();
  }
}
