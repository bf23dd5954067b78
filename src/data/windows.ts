/**
 * A long row of tokens, seen through windows: shuffled ones to learn from, neighbouring ones to measure on. In both a
 * token is to be predicted from those before it in its window.
 */

import { FormatError, StateError } from '../core/errors.js';
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
 * Batches of windows for ever, each with the cursor behind it. An epoch is the text cut into neighbouring windows from a
 * random first place on, in random order, so every epoch sees all of the text, cut elsewhere. What an epoch looks like
 * follows from the seed of `random` and its number alone, so a cursor is all that a checkpoint needs.
 *
 * Errors: FormatError for fewer tokens than a window needs; StateError for a cursor that this text cannot have produced.
 */
export function* shuffledWindows(
  tokens: Tokens,
  size: { readonly rows: number; readonly length: number },
  random: RandomStream,
  from: Cursor,
): Generator<{ readonly batch: WindowBatch; readonly next: Cursor }, never> {
  if (tokens.length <= size.length) throw tooShort(tokens, size.length);
  for (let { epoch, index } = from; ; epoch++, index = 0) {
    const starts = epochStarts(tokens, size.length, random.fork(`epoch ${epoch}`));
    const batches = Math.ceil(starts.length / size.rows);
    if (index >= batches) throw strangeCursor(index, batches);
    for (; index < batches; index++) {
      const batch = windowsAt(tokens, starts.slice(index * size.rows, (index + 1) * size.rows), size.length);
      yield { batch, next: index + 1 < batches ? { epoch, index: index + 1 } : { epoch: epoch + 1, index: 0 } };
    }
  }
}

function epochStarts(tokens: Tokens, length: number, random: RandomStream): number[] {
  const last = tokens.length - length - 1;
  const first = random.integer(Math.min(length, last + 1));
  return random.shuffle(
    Array.from({ length: Math.floor((last - first) / length) + 1 }, (_, at) => first + at * length),
  );
}

function strangeCursor(index: number, batches: number): StateError {
  return new StateError(
    `shuffledWindows: expected a cursor with index < ${batches}, got ${index}; text, context or batch size have changed`,
  );
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
