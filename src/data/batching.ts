/**
 * Batches of examples of similar length, in an order that a cursor can take up again. Works on lengths and index
 * numbers; what the examples are, and turning the padded numbers into tensors, is the task's business.
 */

import { StateError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';

/** A place in an endless sequence of batches: `index` batches of `epoch` have been used. Part of a checkpoint. */
export interface Cursor {
  readonly epoch: number;
  readonly index: number;
}

/** Where every sequence of batches starts. */
export const firstCursor: Cursor = { epoch: 0, index: 0 };

/** How large a batch may be: padded tokens, examples, or both. */
export interface BatchLimit {
  /** Padded tokens, all sequences of an example together. An example beyond it makes a batch alone. */
  readonly tokens?: number;
  /** Examples. */
  readonly size?: number;
}

/** Lengths of the sequences of each example: `[[source, target], …]`. */
export type ExampleLengths = readonly (readonly number[])[];

/** Sequences as rows of one packed array [B, L], padded at the end. */
export interface PaddedSequences {
  readonly ids: Int32Array;
  /** Lengths before padding [B]. */
  readonly lengths: Int32Array;
  readonly shape: readonly [batch: number, length: number];
}

/** One padded array of some sequences; L is the longest, and at least 1. */
export function padSequences(sequences: readonly ArrayLike<number>[], pad = 0): PaddedSequences {
  const lengths = Int32Array.from(sequences, (sequence) => sequence.length);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 1);
  const ids = new Int32Array(sequences.length * longest).fill(pad); // [B, L]
  for (const [row, sequence] of sequences.entries()) ids.set(sequence, row * longest);
  return { ids, lengths, shape: [sequences.length, longest] };
}

/**
 * Cuts examples into batches after sorting by length, so that little is padding. Every example is in exactly one batch.
 *
 * With `order`, examples of equal lengths follow it; by default they keep the order given.
 */
export function bucketByLength(lengths: ExampleLengths, limit: BatchLimit, order?: readonly number[]): number[][] {
  checkLimit(limit);
  const sorted = [...(order ?? lengths.keys())].sort((a, b) => compareLengths(lengths[a] ?? [], lengths[b] ?? []));
  const batches: number[][] = [];
  let current: number[] = [];
  let longest: number[] = [];
  for (const example of sorted) {
    const widened = widen(longest, lengths[example] ?? []);
    if (current.length > 0 && exceeds(current.length + 1, widened, limit)) {
      batches.push(current);
      current = [example];
      longest = widen([], lengths[example] ?? []);
    } else {
      current.push(example);
      longest = widened;
    }
  }
  return current.length > 0 ? [...batches, current] : batches;
}

/**
 * Batches of example numbers from a cursor on, for ever, each with the cursor behind it. Every epoch holds every
 * example once, mixed anew by `random.fork`, which draws nothing from `random`: the sequence from a stored cursor is
 * the one that an undisturbed run would have seen.
 *
 * Errors: StateError for no examples, or a cursor that this data and limit cannot have produced.
 */
export function* batchesFrom(
  lengths: ExampleLengths,
  options: BatchLimit & { readonly random: RandomStream; readonly from?: Cursor },
): Generator<{ readonly indices: readonly number[]; readonly next: Cursor }, never> {
  let { epoch, index } = options.from ?? firstCursor;
  if (lengths.length === 0) throw new StateError('batchesFrom: expected examples, got none');
  for (; ; epoch++, index = 0) {
    const batches = planEpoch(lengths, options, epoch);
    if (!Number.isInteger(index) || index < 0 || index >= batches.length) {
      throw new StateError(
        `batchesFrom: expected a cursor with index < ${batches.length}, got ${index}; data or batch size have changed`,
      );
    }
    for (const indices of batches.slice(index)) {
      index++;
      yield { indices, next: index < batches.length ? { epoch, index } : { epoch: epoch + 1, index: 0 } };
    }
  }
}

function planEpoch(
  lengths: ExampleLengths,
  options: BatchLimit & { readonly random: RandomStream },
  epoch: number,
): number[][] {
  const random = options.random.fork(`epoch ${epoch}`);
  return random.shuffle(bucketByLength(lengths, options, random.shuffle([...lengths.keys()])));
}

function compareLengths(a: readonly number[], b: readonly number[]): number {
  const difference = total(a) - total(b);
  if (difference !== 0) return difference;
  for (const [axis, length] of a.entries()) {
    const further = length - (b[axis] ?? 0);
    if (further !== 0) return further;
  }
  return 0;
}

function total(lengths: readonly number[]): number {
  let sum = 0;
  for (const length of lengths) sum += length;
  return sum;
}

function widen(longest: readonly number[], lengths: readonly number[]): number[] {
  return lengths.map((length, axis) => Math.max(length, longest[axis] ?? 0));
}

function exceeds(count: number, longest: readonly number[], { tokens, size }: BatchLimit): boolean {
  return (size !== undefined && count > size) || (tokens !== undefined && count * total(longest) > tokens);
}

function checkLimit({ tokens, size }: BatchLimit): void {
  if (tokens === undefined && size === undefined) {
    throw new StateError('batching: expected tokens or size as limit, got neither');
  }
  for (const [name, limit] of Object.entries({ tokens, size })) {
    if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1)) {
      throw new StateError(`batching: expected ${name} to be a whole number >= 1, got ${limit}`);
    }
  }
}
