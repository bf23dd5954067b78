/** `keyhole inspect` of a text with more tokens than a heat map can show: a page that zooms into one head's pattern. */

import { UsageError } from '../core/errors.js';
import type { HeadChoice } from '../tasks/headVectors.js';
import type { OpenTask } from '../tasks/task.js';
import { hostFiles } from '../train/files.js';
import { renderTilePage } from '../viz/tilePage.js';
import { visibleText } from '../viz/visibleText.js';
import type { Output } from './output.js';

/** Tokens that heat maps of every layer and head show legibly. */
export const mostPictured = 64;

/** Bins of the pooled pattern: as many as the page draws. */
const bins = 256;

export interface LongFlags extends HeadChoice {
  readonly path: string;
  readonly out: string;
  readonly against?: string | undefined;
}

/** Whether a text has more tokens than heat maps show. */
export function isLong(open: OpenTask, text: string): boolean {
  return (open.tokensOf?.(text) ?? 0) > mostPictured;
}

/** Writes the page of one head. Errors: UsageError for another format, a comparison, or a text longer than the model reads. */
export function inspectLong(
  open: OpenTask,
  text: string,
  { path, out, against, ...choice }: LongFlags,
  output: Output,
): void {
  const vectors = open.vectors?.(text, { ...choice, bins });
  if (!vectors?.tiles || against !== undefined || !/\.html$/i.test(out)) {
    throw new UsageError(
      `inspect: expected --out FILE.html and no --against for a text of more than ${mostPictured} tokens, got ${against === undefined ? out : `--against ${against}`}`,
    );
  }
  const { rows, head, tiles } = vectors;
  const title = `${path}, ${vectors.path}, head ${head}`;
  hostFiles.writeAtomic(out, renderTilePage({ ...vectors, title, tokens: rows, tiles }));
  output.line(`${visibleText(title)}: ${rows.length} tokens in ${out}; --layer and --head choose another head`);
  output.result({ input: text, layer: vectors.path, head, tokens: rows.length, file: out });
}
