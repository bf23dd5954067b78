/** `keyhole run`: one input through a trained model; for machines also what attention did. */

import { Command } from 'commander';
import type { AttentionPicture } from '../core/records.js';
import { beamsOf, openModel } from './openModel.js';
import { Output } from './output.js';

interface RunFlags {
  readonly text: string;
  readonly set?: readonly string[];
  readonly json?: boolean;
}

const examples = `
Example:
  keyhole run runs/latest --text keyhole
  keyhole run runs/latest --text "Call me" --set temperature=0.7 topK=20 answerTokens=300`;

export function runCommand(): Command {
  return new Command('run')
    .description('Runs one input through the model of a run. Text that a model writes appears as it is written.')
    .argument('<run>', 'folder of the run')
    .requiredOption('--text <text>', 'the input')
    .option('--set <key=value...>', 'override keys of the configuration that only shape the answer')
    .option(
      '--json',
      'print one JSON object, with the attention of every head (of cross-attention, where there is any)',
    )
    .addHelpText('after', examples)
    .action(answer);
}

async function answer(path: string, { text, set = [], json = false }: RunFlags): Promise<void> {
  const output = new Output({ json });
  const { open, config } = await openModel(path, output, { set });
  let streamed = false;
  const onText = (piece: string): void => {
    streamed = true;
    output.stream.write(piece);
  };
  const found = open.answer(text, {
    beams: beamsOf({ configuration: config }),
    attention: json,
    onText,
  });
  output.line(streamed ? '' : found.output);
  for (const note of found.notes ?? []) output.line(`note: ${note}`);
  output.result({
    input: found.input,
    output: found.output,
    logProbability: found.logProbability,
    ...(found.notes && { notes: found.notes }),
    attention: telling(found.pictures).map(plain),
  });
}

/** Cross-attention where there is any: it says what came from where. */
function telling(pictures: readonly AttentionPicture[]): readonly AttentionPicture[] {
  const cross = pictures.filter(({ kind }) => kind === 'cross');
  return cross.length > 0 ? cross : pictures;
}

function plain({ path, head, rows, columns, weights }: AttentionPicture): object {
  return { path, head, rows, columns, weights };
}
