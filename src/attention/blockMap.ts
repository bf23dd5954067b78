/**
 * A mask compiled for one call: which blocks of pairs are empty, full or partial, and the patterns of the partial ones,
 * equal patterns once. Plain data: to look at (`maskPicture`), to draw (viz/maskMap.ts), and what the kernel skips by
 * (blockOperands.ts). Never an L×S array.
 */

import type { MaskPicture } from '../core/records.js';
import type { Mask } from './mask.js';
import { predicateOf, windowPredicate } from './maskAlgebra.js';
import type { BlockKind, BoundPredicate, MaskSizes, Predicate, Span } from './maskPredicate.js';
import { PatternTable } from './patternTable.js';

/** Keys of a block, as in native/kernels.def; queries are as many, or L when that is less. */
export const blockKeys = 64;

/** Codes of blocks; from 0 on: the number of a partial block's pattern. */
export const [emptyBlock, fullBlock] = [-1, -2];

/** A compiled mask. B and H are 1 where the mask does not depend on the sequence or the head. */
export interface BlockMap {
  /** [1 | B, 1 | H, blocks of queries, blocks of keys] */
  readonly shape: readonly [number, number, number, number];
  /** Queries and keys of a block. */
  readonly block: readonly [number, number];
  /** Packed codes of `shape`: -1 empty, -2 full, otherwise which pattern. */
  readonly codes: Int32Array;
  /** Packed [patterns, queries, keys of a block], 1 = may attend; cells past L or S are 0. At least one pattern. */
  readonly patterns: Uint8Array;
  /** Number of blocks of each kind. */
  readonly counts: Readonly<Record<BlockKind, number>>;
  /** Share of the pairs that may attend, in [0, 1]; 0 without a pair. */
  readonly densityRatio: number;
}

export interface CompileSizes extends Partial<MaskSizes> {
  readonly L: number;
}

/**
 * What a mask comes to: its blocks of 64 × 64 pairs. The attention call does this on its own and keeps the result with the
 * mask object, so make a mask once and use it again.
 *
 * Memory: O(blocks + patterns). A predicate that cannot tell a block by its ranges is asked for each pair of the block.
 * Parameters: B and H default 1, S default L, offset default 0.
 * Errors: ShapeError for sizes that the mask was not made for.
 *
 * @example
 * const { counts, densityRatio } = compileMask(or(slidingWindow({ left: 128, right: 128 }), globalTokens([0])), { L: 4096 });
 */
export function compileMask(mask: Mask, { B = 1, H = 1, L, S = L, offset = 0 }: CompileSizes): BlockMap {
  return compile(predicateOf(mask), { B, H, L, S, offset });
}

/** The same for the part of a mask that is no scalar of the kernel; blocks outside its window are empty without asking. */
export function compilePredicate(predicate: Predicate, window: Mask, sizes: MaskSizes): BlockMap {
  return compile(predicate, sizes, windowPredicate(window).bind(sizes));
}

function compile(predicate: Predicate, sizes: MaskSizes, within?: BoundPredicate): BlockMap {
  const { B, H, L, S, offset } = sizes;
  const rows = Math.max(1, Math.min(blockKeys, L));
  const shape = [
    predicate.perBatch ? B : 1,
    predicate.perHead ? H : 1,
    Math.ceil(L / rows),
    Math.ceil(S / blockKeys),
  ] as const;
  const bound = predicate.bind(sizes);
  const table = new PatternTable(rows, blockKeys);
  const ask = askOf(predicate, bound, table);
  const codes = new Int32Array(shape.reduce((a, b) => a * b));
  const counts = { empty: 0, partial: 0, full: 0 };
  let allowed = 0;
  forEachBlock(shape, (at, b, h, row, column) => {
    const queries = { start: row * rows + offset, end: Math.min(L, (row + 1) * rows) + offset };
    const keys = { start: column * blockKeys, end: Math.min(S, (column + 1) * blockKeys) };
    const outside = within?.classify(b, h, queries, keys) === 'empty';
    const kind = outside ? 'empty' : bound.classify(b, h, queries, keys);
    const [code, pairs] = kind === 'partial' ? ask(b, h, queries, keys) : plain(kind, queries, keys);
    codes[at] = code;
    counts[code === emptyBlock ? 'empty' : code === fullBlock ? 'full' : 'partial']++;
    allowed += pairs;
  });
  const pairs = shape[0] * shape[1] * L * S;
  return {
    ...{ shape, block: [rows, blockKeys], codes, counts, patterns: table.values() },
    densityRatio: pairs === 0 ? 0 : allowed / pairs,
  };
}

/** The code of a block, and its allowed pairs. */
type Coded = readonly [code: number, pairs: number];

/** Asks for every pair of a block; where the distance alone counts, only once for blocks at one distance of one size. */
function askOf(
  predicate: Predicate,
  bound: BoundPredicate,
  table: PatternTable,
): (b: number, h: number, queries: Span, keys: Span) => Coded {
  const known = new Map<string, Coded>();
  return (b, h, queries, keys) => {
    const ask = (): Coded => table.code((q, k) => bound.allows(b, h, q, k), queries, keys);
    if (!predicate.byDistance) return ask();
    const key = [queries.start - keys.start, queries.end - queries.start, keys.end - keys.start].join();
    const coded = known.get(key) ?? ask();
    known.set(key, coded);
    return coded;
  };
}

/** The code of a block that is all one. */
function plain(kind: Exclude<BlockKind, 'partial'>, rows: Span, keys: Span): Coded {
  return kind === 'empty' ? [emptyBlock, 0] : [fullBlock, (rows.end - rows.start) * (keys.end - keys.start)];
}

function forEachBlock(
  [B, H, rows, columns]: BlockMap['shape'],
  visit: (at: number, b: number, h: number, row: number, column: number) => void,
): void {
  let at = 0;
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) visit(at++, b, h, row, column);
}

/** Kinds of the blocks of one head, ready to be drawn. */
export function maskPicture({ shape, block, codes }: BlockMap, { name = 'mask', b = 0, h = 0 } = {}): MaskPicture {
  const [B, H, rows, columns] = shape;
  const first = (Math.min(b, B - 1) * H + Math.min(h, H - 1)) * rows * columns;
  const kinds = Array.from({ length: rows }, (_, row) =>
    Array.from(codes.subarray(first + row * columns, first + (row + 1) * columns), kindOfCode),
  );
  return { name, block, kinds };
}

function kindOfCode(code: number): BlockKind {
  return code === emptyBlock ? 'empty' : code === fullBlock ? 'full' : 'partial';
}

/** Whether query i, counted from 0, may attend to key j. */
export function allowsPair(
  { shape, block, codes, patterns }: BlockMap,
  b: number,
  h: number,
  i: number,
  j: number,
): boolean {
  const [B, H, rows, columns] = shape;
  const [R, C] = block;
  const head = (B === 1 ? 0 : b) * H + (H === 1 ? 0 : h);
  const code = codes[(head * rows + Math.floor(i / R)) * columns + Math.floor(j / C)] as number;
  return code >= 0 ? patterns[(code * R + (i % R)) * C + (j % C)] !== 0 : code === fullBlock;
}
