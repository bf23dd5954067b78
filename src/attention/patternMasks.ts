/**
 * Masks of papers that are neither a window nor made of blocks: dilated, strided, prefix, documents in one row, global
 * tokens, and a function of your own. Each is a predicate that knows whole blocks where it can. Next: blockSparse.ts.
 */

import { ShapeError, StateError } from '../core/errors.js';
import { causal, checkReach, type Mask, open } from './mask.js';
import { kindOf, lengthsPredicate, or } from './maskAlgebra.js';
import { type BlockKind, type BoundPredicate, byDistance, type Span } from './maskPredicate.js';

/**
 * Every `step`-th key of a window: `left` before, `right` after, counted in positions.
 *
 * Source: the dilated sliding window of Longformer (Beltagy et al. 2020, §3.1).
 */
export function dilated({
  step,
  left = Infinity,
  right = Infinity,
}: {
  step: number;
  left?: number;
  right?: number;
}): Mask {
  checkReach('dilated', { left, right });
  checkStep('dilated', 'step', step);
  const mask = byDistance(
    (d) => d % step === 0,
    (least, most) => multiplesIn(least, most, step),
  );
  return { left, right, predicate: mask };
}

/**
 * The last `stride` keys up to the query's own, and before those every `stride`-th.
 *
 * Source: the strided pattern of the Sparse Transformer (Child et al. 2019, §4.3), both of its heads in one.
 */
export function strided({ stride }: { stride: number }): Mask {
  checkStep('strided', 'stride', stride);
  const classify = (least: number, most: number): BlockKind => {
    if (least >= stride) return multiplesIn(least, most, stride);
    return most < stride ? 'full' : 'partial';
  };
  return { ...causal(), predicate: byDistance((d) => d < stride || d % stride === 0, classify) };
}

/** How many of the distances least … most are multiples of `step`. */
function multiplesIn(least: number, most: number, step: number): BlockKind {
  return kindOf(Math.floor(most / step) - Math.ceil(least / step) + 1, most - least + 1);
}

function checkStep(caller: string, name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1)
    throw new ShapeError(`${caller}: expected ${name} a whole number >= 1, got ${value}`);
}

/**
 * Causal, but the first `prefix[b]` keys are seen by all: a prefix that is read both ways, then text that is written.
 *
 * Source: the prefix LM of T5 (Raffel et al. 2020, §3.2.1).
 */
export function prefixLm(prefix: readonly number[]): Mask {
  checkReach('prefixLm', Object.fromEntries(prefix.map((length, b) => [`prefix[${b}]`, length])));
  return or(causal(), { ...open, predicate: lengthsPredicate(prefix, 'prefixLm') });
}

/**
 * Global tokens: they see every key, and every query sees them. Meant for `or(slidingWindow(…), globalTokens(…))`.
 *
 * Source: Longformer (Beltagy et al. 2020, §3.1).
 */
export function globalTokens(positions: readonly number[]): Mask {
  checkReach('globalTokens', Object.fromEntries(positions.map((at, index) => [`positions[${index}]`, at])));
  const chosen = new Set(positions);
  return {
    ...open,
    predicate: {
      perBatch: false,
      perHead: false,
      bind({ L, S, offset }) {
        const before = countsBefore(chosen, Math.max(S, offset + L));
        const countIn = ({ start, end }: Span): number => (before[end] ?? 0) - (before[Math.max(0, start)] ?? 0);
        return {
          allows: (_b, _h, q, k) => chosen.has(k) || chosen.has(q),
          classify: (_b, _h, rows, keys) => {
            const [ofRows, ofKeys] = [rows, keys].map((span) => kindOf(countIn(span), span.end - span.start));
            if (ofRows === 'full' || ofKeys === 'full') return 'full';
            return ofRows === 'empty' && ofKeys === 'empty' ? 'empty' : 'partial';
          },
        };
      },
    },
  };
}

/** How many chosen positions lie before each of 0 … length. */
function countsBefore(chosen: ReadonlySet<number>, length: number): Int32Array {
  const counts = new Int32Array(Math.max(0, length) + 1);
  for (let at = 1; at < counts.length; at++) counts[at] = (counts[at - 1] as number) + Number(chosen.has(at - 1));
  return counts;
}

/**
 * Several documents in one packed row, each attending to itself alone: ragged batches without padding. `lengths` are the
 * documents' lengths, in order, of every sequence alike or one list a sequence; they add up to S.
 */
export function documents(lengths: readonly number[] | readonly (readonly number[])[]): Mask {
  const lists = lengths.every((length) => typeof length === 'number') ? [lengths as readonly number[]] : undefined;
  const rows = lists ?? (lengths as readonly (readonly number[])[]);
  checkReach('documents', Object.fromEntries(rows.flat().map((length, n) => [`length ${n}`, length])));
  return {
    ...open,
    predicate: {
      perBatch: lists === undefined,
      perHead: false,
      bind({ B, L, S, offset }) {
        if (lists === undefined && rows.length !== B)
          throw new ShapeError(`documents: expected one list of lengths a sequence, B = ${B}, got ${rows.length}`);
        if (offset < 0 || offset + L > S)
          throw new ShapeError(`documents: expected queries among the S = ${S} keys, got [${offset}, ${offset + L})`);
        const owners = rows.map((list) => ownersOf(list, S));
        const owner = (b: number, at: number): number => (owners[lists ? 0 : b] as Int32Array)[at] as number;
        return {
          allows: (b, _h, q, k) => owner(b, q) === owner(b, k),
          classify: (b, _h, rows, keys) => {
            const [first, last] = [owner(b, rows.start), owner(b, rows.end - 1)];
            const [firstKey, lastKey] = [owner(b, keys.start), owner(b, keys.end - 1)];
            if (last < firstKey || lastKey < first) return 'empty';
            return first === last && firstKey === lastKey ? 'full' : 'partial';
          },
        };
      },
    },
  };
}

/** The document of every position [S]. */
function ownersOf(lengths: readonly number[], S: number): Int32Array {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== S)
    throw new ShapeError(
      `documents: expected lengths that add up to S = ${S}, got ${total}; give padding a document of its own`,
    );
  return Int32Array.from(lengths.flatMap((length, document) => new Array<number>(length).fill(document)));
}

export interface MaskModOptions {
  /** Whether the answer depends on the sequence. Default true; false asks for one sequence only. */
  readonly perBatch?: boolean;
  /** Whether the answer depends on the head. Default true; false asks for one head only. */
  readonly perHead?: boolean;
}

type Pair = Parameters<BoundPredicate['allows']>;

/** A pair is asked for again so often, to notice a function that does not always answer alike. */
const askedTwice = 97;

/**
 * A mask of your own: called for every pair once, when the map of blocks is made. q and k are positions on the key axis.
 * O(B·H·L·S) calls, so say which of b and h it does not look at.
 *
 * Errors: StateError for an answer that is not a boolean, or that changes.
 *
 * @example
 * const parity = maskMod((b, h, q, k) => (q - k) % 2 === 0, { perBatch: false, perHead: false });
 */
export function maskMod(
  allows: (b: number, h: number, q: number, k: number) => boolean,
  { perBatch = true, perHead = true }: MaskModOptions = {},
): Mask {
  const ask = (b: number, h: number, q: number, k: number): boolean => {
    const answer: unknown = allows(b, h, q, k);
    if (typeof answer === 'boolean') return answer;
    throw new StateError(
      `maskMod: expected true or false for (b, h, q, k) = (${b}, ${h}, ${q}, ${k}), got ${String(answer)}`,
    );
  };
  const askAgain = (before: boolean, ...pair: Pair): void => {
    if (ask(...pair) === before) return;
    throw new StateError(
      `maskMod: expected the same answer each time for (b, h, q, k) = (${pair.join(', ')}), got ${before}, then ${!before}; it must not depend on anything else`,
    );
  };
  const bind = (): BoundPredicate => {
    let asked = 0;
    return {
      allows: (b, h, q, k) => {
        const answer = ask(b, h, q, k);
        if (asked++ % askedTwice === 0) askAgain(answer, b, h, q, k);
        return answer;
      },
      classify: () => 'partial',
    };
  };
  return { ...open, predicate: { perBatch, perHead, bind } };
}
