/** `keyhole eval`: a run's figures on held-out data, its latency and its throughput. */

import { Command, Option } from 'commander';
import type { Split } from '../data/split.js';
import { finalFigures } from '../tasks/finalFigures.js';
import { kpisOf, showFigures } from './figures.js';
import { beamsOf, openModel } from './openModel.js';
import { Output } from './output.js';
import { shownPath } from './paths.js';

interface EvalFlags {
  readonly split?: Split;
  readonly json?: boolean;
}

export function evalCommand(): Command {
  return new Command('eval')
    .description('Evaluates the best weights of a run: metrics, latency of single inputs, throughput.')
    .argument('<run>', 'folder of the run')
    .addOption(
      new Option('--split <name>', 'data to use (default: the part that the task is judged on)').choices([
        'train',
        'validation',
        'test',
      ]),
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  keyhole eval runs/latest --split test')
    .action(evaluate);
}

async function evaluate(path: string, { split: wanted, json }: EvalFlags): Promise<void> {
  const output = new Output({ json });
  const { run, task, open, step, backend } = await openModel(path, output, { data: true });
  const split = wanted ?? task.judgedOn;
  for (const notice of open.notices) output.line(`note: ${notice}`);
  const { figures, inputsPerSecond, latencyMs } = finalFigures(open, split, beamsOf(run.record));
  showFigures(output, { ...figures, inputsPerSecond }, latencyMs, kpisOf(task));
  const { backend: name, target } = backend;
  output.result({
    ...{ run: shownPath(run.folder), split, backend: name, target, steps: step },
    ...{ ...figures, inputsPerSecond, latencyMs },
  });
}
