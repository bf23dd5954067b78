/** `keyhole inspect`: pictures of a model's attention on one input, in the format that the file's ending names. */

import { Command } from 'commander';
import { UsageError } from '../core/errors.js';
import type { AttentionPicture } from '../core/records.js';
import { hostFiles } from '../train/files.js';
import { type AttentionFigure, renderAttentionHtml, renderAttentionJson, renderAttentionSvg } from '../viz/inspect.js';
import { renderAttentionPng } from '../viz/png.js';
import { beamsOf, openModel } from './openModel.js';
import { Output } from './output.js';

interface InspectFlags {
  readonly text: string;
  readonly out: string;
  readonly layer?: string;
  readonly head?: string;
  readonly json?: boolean;
}

type Render = (figure: AttentionFigure) => string | Uint8Array | Promise<Uint8Array>;

const renderers: Readonly<Record<string, Render>> = {
  html: renderAttentionHtml,
  svg: (figure) => renderAttentionSvg(figure, { theme: 'light' }), // drawing programs know no colours that follow the reader
  png: (figure) => renderAttentionPng(figure),
  json: renderAttentionJson,
};

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('Draws what attention did with one input.')
    .argument('<run>', 'folder of the run')
    .requiredOption('--text <text>', 'the input')
    .requiredOption('--out <file>', `file to write; its ending says how: ${Object.keys(renderers).join(', ')}`)
    .option('--layer <layer>', 'only this layer: a module path, or the number of a block')
    .option('--head <number>', 'only this head')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  keyhole inspect runs/latest --text keyhole --out keyhole.svg --layer 1 --head 0',
    )
    .action(inspect);
}

async function inspect(path: string, { text, out, json, ...wanted }: InspectFlags): Promise<void> {
  const render = rendererFor(out);
  const output = new Output({ json });
  const { run, open } = await openModel(path, output);
  const answer = open.answer(text, { beams: beamsOf(run.record), attention: true });
  const pictures = select(answer.pictures, wanted);
  const title = `${answer.input} → ${answer.output}`;
  hostFiles.writeAtomic(out, await render({ title, input: answer.input, pictures, axes: open.axes }));
  output.line(`${title}: ${pictures.length} heads in ${out}`);
  output.result({ input: answer.input, output: answer.output, heads: pictures.length, file: out });
}

function rendererFor(file: string): Render {
  const ending = /\.(\w+)$/.exec(file)?.[1]?.toLowerCase() ?? '';
  const render = Object.hasOwn(renderers, ending) ? renderers[ending] : undefined;
  if (render) return render;
  throw new UsageError(`inspect: expected --out to end in .${Object.keys(renderers).join(', .')}, got ${file}`);
}

function select(
  pictures: readonly AttentionPicture[],
  { layer, head }: Pick<InspectFlags, 'layer' | 'head'>,
): readonly AttentionPicture[] {
  const inLayer = pictures.filter(({ path }) => layer === undefined || path === layer || path.includes(`.${layer}.`));
  if (inLayer.length === 0) {
    const paths = [...new Set(pictures.map(({ path }) => path))];
    throw new UsageError(`inspect: expected --layer to be a number or one of ${paths.join(', ')}, got ${layer}`);
  }
  const chosen = inLayer.filter((picture) => head === undefined || String(picture.head) === head);
  if (chosen.length > 0) return chosen;
  const last = Math.max(...inLayer.map((picture) => picture.head));
  throw new UsageError(`inspect: expected --head to be a number from 0 to ${last}, got ${head}`);
}
