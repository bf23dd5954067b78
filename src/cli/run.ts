/** `keyhole run`: one input through a trained model; for machines also what cross-attention did. */

import { Command } from 'commander';
import type { AttentionPicture } from '../core/records.js';
import { beamsOf, openModel } from './openModel.js';
import { Output } from './output.js';

interface RunFlags {
  readonly text: string;
  readonly json?: boolean;
}

export function runCommand(): Command {
  return new Command('run')
    .description('Runs one input through the model of a run.')
    .argument('<run>', 'folder of the run')
    .requiredOption('--text <text>', 'the input')
    .option('--json', 'print one JSON object, with the attention of every cross-attention head')
    .addHelpText('after', '\nExample:\n  keyhole run runs/latest --text keyhole')
    .action(answer);
}

async function answer(path: string, { text, json = false }: RunFlags): Promise<void> {
  const output = new Output({ json });
  const { run, open } = await openModel(path, output);
  const found = open.answer(text, { beams: beamsOf(run), attention: json });
  output.line(found.output);
  output.result({
    input: found.input,
    output: found.output,
    logProbability: found.logProbability,
    attention: found.pictures.filter(({ kind }) => kind === 'cross').map(plain),
  });
}

function plain({ path, head, rows, columns, weights }: AttentionPicture): object {
  return { path, head, rows, columns, weights };
}
