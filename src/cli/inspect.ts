/** `keyhole inspect`: pictures of a model's attention on one input, in the format that the file's ending names. */

import { Command } from 'commander';
import { UsageError } from '../core/errors.js';
import type { AttentionPicture } from '../core/records.js';
import type { Answer, OpenTask } from '../tasks/task.js';
import { hostFiles } from '../train/files.js';
import type { Run } from '../train/run.js';
import { differencePictures } from '../viz/difference.js';
import {
  type AttentionFigure,
  largePictures,
  renderAttentionHtml,
  renderAttentionJson,
  renderAttentionSvg,
} from '../viz/inspect.js';
import { renderAttentionPng } from '../viz/png.js';
import { heatMapText } from '../viz/terminal.js';
import { visibleText } from '../viz/visibleText.js';
import { inspectLong, isLong, mostPictured } from './inspectLong.js';
import { beamsOf, openModel } from './openModel.js';
import { Output } from './output.js';
import { splitOf } from './splitOf.js';

interface InspectFlags {
  readonly text: string;
  readonly second?: string;
  readonly out: string;
  readonly layer?: string;
  readonly head?: string;
  readonly against?: string;
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
    .requiredOption(
      '--out <file>',
      `file to write; its ending says how: ${Object.keys(renderers).join(', ')}; - prints heat maps`,
    )
    .option('--second <text>', 'a text behind the first; pages then filter pairs within and between the two')
    .option('--layer <layer>', 'only this layer: a module path, or the number of a block')
    .option('--head <number>', 'only this head')
    .option('--against <run>', 'draw the difference from this run, on the same text')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExample:\n  keyhole inspect runs/latest --text keyhole --out keyhole.svg --layer 1 --head 0\n  keyhole inspect runs/latest --text keyhole --out -',
    )
    .action(inspect);
}

async function inspect(path: string, { text, second, out, json, against, ...wanted }: InspectFlags): Promise<void> {
  const printed = out === '-';
  const render = printed ? undefined : rendererFor(out);
  const output = new Output({ json });
  if (printed && against !== undefined) throw new UsageError('inspect: expected --out FILE with --against, got -');
  const { run, open } = await openModel(path, output);
  const whole = second === undefined ? text : `${text} ${second}`;
  if (isLong(open, whole)) return inspectLong(open, whole, { path, out, against, ...wanted }, output);
  const answer = answerOf(run, open, whole, printed);
  const pictures = select(answer.pictures, wanted);
  const before = against === undefined ? undefined : await answerAgainst(against, whole, output);
  const title = before ? `${answer.input}: ${path} − ${against}` : `${answer.input} → ${answer.output}`;
  const shown = before ? differencePictures(pictures, before.pictures) : pictures;
  const split = second === undefined ? undefined : splitOf(shown, text);
  const figure = {
    ...{ title, input: answer.input, pictures: shown, axes: open.axes, difference: before !== undefined },
    ...(split !== undefined && { split }),
  };
  if (render) {
    hostFiles.writeAtomic(out, await render(figure));
    output.line(`${visibleText(title)}: ${shown.length} heads in ${out}`);
  } else {
    print(figure, output);
  }
  output.result({ input: answer.input, output: answer.output, heads: pictures.length, file: out });
}

/** A terminal is narrow: there, long texts are shown from their beginning. */
function answerOf({ record }: Run, open: OpenTask, text: string, printed = false): Answer {
  const beams = beamsOf(record);
  return open.answer(text, { beams, attention: true, ...(!printed && { picturedTokens: mostPictured }) });
}

async function answerAgainst(path: string, text: string, output: Output): Promise<Answer> {
  const { run, open } = await openModel(path, output);
  return answerOf(run, open, text);
}

/** Prints one heat map a stack: its most selective head, or the only one that was asked for. */
function print({ pictures, title }: AttentionFigure, output: Output): void {
  output.line(visibleText(title));
  const width = output.stream.columns ?? 100;
  for (const { stack, label, picture, maximum } of largePictures(pictures)) {
    output.line();
    output.line(heatMapText(`${stack}, ${label}`, picture, { width, maximum }));
  }
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
