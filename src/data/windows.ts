/**
 * A long row of tokens, seen through windows: random ones to learn from, neighbouring ones to measure on. In both a
 * token is to be predicted from those before it in its window.
 */

import { FormatError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';
import type { Cursor, PaddedSequences } from './batching.js';

/** Rows of tokens and what follows each of them: both packed [B, L]. */
export interface WindowBatch {
  readonly input: Int32Array;
  readonly labels: Int32Array;
  readonly shape: PaddedSequences['shape'];
}

/** Tokens of one text. */
export type Tokens = Uint32Array;

/** A batch of windows that start at these places; each holds `length` tokens and the one after. */
export function windowsAt(tokens: Tokens, starts: readonly number[], length: number): WindowBatch {
  const input = new Int32Array(starts.length * length); // [B, L]
  const labels = new Int32Array(input.length);
  for (const [row, start] of starts.entries()) {
    input.set(tokens.subarray(start, start + length), row * length);
    labels.set(tokens.subarray(start + 1, start + length + 1), row * length);
  }
  return { input, labels, shape: [starts.length, length] };
}

/**
 * Batches of windows at random places, for ever, each with the cursor behind it. Batch n depends on the seed of `random`
 * and n alone, so a cursor is all that a checkpoint needs.
 *
 * Errors: FormatError for fewer tokens than a window needs.
 */
export function* randomWindows(
  tokens: Tokens,
  size: { readonly rows: number; readonly length: number },
  random: RandomStream,
  from: Cursor,
): Generator<{ readonly batch: WindowBatch; readonly next: Cursor }, never> {
  const places = tokens.length - size.length;
  if (places < 1) throw tooShort(tokens, size.length);
  for (let { index } = from; ; index++) {
    const draw = random.fork(`batch ${index}`);
    const starts = Array.from({ length: size.rows }, () => draw.integer(places));
    yield { batch: windowsAt(tokens, starts, size.length), next: { epoch: 0, index: index + 1 } };
  }
}

/**
 * Starts of neighbouring windows that together hold every token once; with `count`, so many of them, spread evenly.
 * What is left at the end and fills no window is not used.
 */
export function neighbouringStarts(tokens: Tokens, length: number, count = Number.POSITIVE_INFINITY): number[] {
  const all = Math.floor((tokens.length - 1) / length);
  if (all < 1) throw tooShort(tokens, length);
  const used = Math.min(all, count);
  return Array.from({ length: used }, (_, index) => Math.floor((index * all) / used) * length);
}

function tooShort({ length }: Tokens, context: number): FormatError {
  return new FormatError(
    `windows: expected more than context = ${context} tokens in each part of the text, got ${length}; use a longer text or a smaller context`,
  );
}
