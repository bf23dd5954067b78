/** Running text as a language model learns it: one row of ids, cut into a part to learn from and a held-out part. */

import { UsageError } from '../core/errors.js';
import { RandomStream } from '../core/random.js';
import type { Cursor } from '../data/batching.js';
import type { Split } from '../data/split.js';
import type { TextTokenizer } from '../data/textTokenizer.js';
import { neighbouringStarts, shuffledWindows, type Tokens, type WindowBatch, windowsAt } from '../data/windows.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

/** The parts of a text, in its order; there is no third one to test on. */
export interface TextParts {
  readonly train: Tokens;
  readonly validation: Tokens;
}

/** Rows of tokens on the backend, and what follows each token, both i32 [B, L]. */
export interface TextBatch {
  readonly input: Tensor;
  readonly labels: Tensor;
  readonly tokens: number;
}

/** Rows and length of a batch. */
export interface BatchSize {
  readonly rows: number;
  readonly length: number;
}

/** The first part of the characters to learn from, the rest to measure on. */
export function splitText(
  text: string,
  validationRatio: number,
): { readonly train: string; readonly validation: string } {
  const cut = Math.floor(text.length * (1 - validationRatio));
  const whole = isLowSurrogate(text.charCodeAt(cut)) ? cut + 1 : cut;
  return { train: text.slice(0, whole), validation: text.slice(whole) };
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

/** The tokens of one part. Errors: UsageError for a part that a text does not have. */
export function partOf(parts: TextParts, split: Split): Tokens {
  if (split !== 'test') return parts[split];
  throw new UsageError('novel: expected a split of train, validation, got test; a text is cut in two');
}

/** Batches of shuffled windows, for ever. */
export function* trainingBatches(
  tokens: Tokens,
  size: BatchSize,
  seed: number,
  from: Cursor,
): Generator<{ batch: TextBatch; next: Cursor }, never> {
  const random = new RandomStream(seed).fork('batches');
  for (const { batch, next } of shuffledWindows(tokens, size, random, from)) yield { batch: onBackend(batch), next };
  throw new Error('unreachable: shuffledWindows never ends');
}

/** Neighbouring windows in batches, at most `count` of them; each batch is made when called for, in the caller's scope. */
export function* heldOutBatches(tokens: Tokens, size: BatchSize, count?: number): Generator<() => TextBatch> {
  const starts = neighbouringStarts(tokens, size.length, count);
  for (let at = 0; at < starts.length; at += size.rows) {
    yield () => onBackend(windowsAt(tokens, starts.slice(at, at + size.rows), size.length));
  }
}

function onBackend({ input, labels, shape }: WindowBatch): TextBatch {
  return { input: tensor(input, shape), labels: tensor(labels, shape), tokens: input.length };
}

/** Every text written twice, one a row; after the last token the first follows again. */
export function repeatedBatch(texts: readonly (readonly number[])[]): TextBatch {
  const rows = texts.map((text) => [...text, ...text]);
  const shape = [rows.length, rows[0]?.length ?? 0];
  const following = rows.map((row) => [...row.slice(1), ...row.slice(0, 1)]);
  const onBackendAs = (ids: readonly number[][]): Tensor => tensor(Int32Array.from(ids.flat()), shape);
  return { input: onBackendAs(rows), labels: onBackendAs(following), tokens: rows.flat().length };
}

/** Characters that these ids stand for. */
export function charactersIn(ids: ArrayLike<number>, tokenizer: TextTokenizer): number {
  let count = 0;
  for (let at = 0; at < ids.length; at++) count += tokenizer.characters(ids[at] as number);
  return count;
}
