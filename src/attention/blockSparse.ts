/**
 * Masks made of blocks: a map of your own, and BigBird's window, global and random blocks. Not how the kernel cuts masks
 * into blocks: that is blockMap.ts, and its blocks need not be these.
 */

import { ShapeError } from '../core/errors.js';
import { RandomStream } from '../core/random.js';
import { type Mask, open } from './mask.js';
import type { BlockKind, BoundPredicate, Span } from './maskPredicate.js';

/** `map[row][column]` not 0 or false: queries of block `row` may attend to keys of block `column`. */
export type BlockRows = readonly (readonly (boolean | number)[])[];

/**
 * Block-sparse attention from a map [rows, columns], or [H, rows, columns] with one a head. Blocks are `block` positions
 * long on both axes, counted from key 0.
 *
 * Errors: ShapeError for a map that does not cover the call's positions.
 */
export function blockSparse(map: BlockRows | readonly BlockRows[], { block }: { readonly block: number }): Mask {
  checkWhole('blockSparse', 'block', block, 1);
  const shared = !Array.isArray(map[0]?.[0]);
  const heads = (shared ? [map] : map) as readonly BlockRows[];
  return {
    ...open,
    predicate: {
      perBatch: false,
      perHead: !shared,
      bind({ H, L, S, offset }) {
        const [rows, columns] = [Math.ceil((offset + L) / block), Math.ceil(S / block)];
        if (!shared && heads.length !== H)
          throw new ShapeError(`blockSparse: expected a map for each of H = ${H} heads, got ${heads.length}`);
        for (const head of heads) checkMap(head, rows, columns);
        return inBlocks(block, (h, row, column) => Boolean(heads[shared ? 0 : h]?.[row]?.[column]));
      },
    },
  };
}

function checkMap(map: BlockRows, rows: number, columns: number): void {
  const wrong = map.find((row) => row.length !== columns);
  if (map.length === rows && wrong === undefined) return;
  throw new ShapeError(
    `blockSparse: expected a map [rows, columns] = [${rows}, ${columns}], got [${map.length}, ${wrong?.length ?? map[0]?.length ?? 0}]; one entry for each block of positions`,
  );
}

/** Allowed where the pair's block is. */
function inBlocks(block: number, allows: (h: number, row: number, column: number) => boolean): BoundPredicate {
  const spanOf = ({ start, end }: Span): Span => ({ start: Math.floor(start / block), end: Math.ceil(end / block) });
  return {
    allows: (_b, h, q, k) => allows(h, Math.floor(q / block), Math.floor(k / block)),
    classify(_b, h, queries, keys) {
      const [rows, columns] = [spanOf(queries), spanOf(keys)];
      const first = allows(h, rows.start, columns.start);
      for (let row = rows.start; row < rows.end; row++)
        for (let column = columns.start; column < columns.end; column++)
          if (allows(h, row, column) !== first) return 'partial';
      return (first ? 'full' : 'empty') satisfies BlockKind;
    },
  };
}

export interface BigBirdOptions {
  /** Positions of a block; default 64. */
  readonly block?: number;
  /** Blocks of the sliding window, an odd number; default 3. */
  readonly window?: number;
  /** Blocks at the start that see and are seen by all; default 2. */
  readonly global?: number;
  /** Further blocks a row, drawn for every head; default 3. */
  readonly random?: number;
  readonly seed?: number;
}

/**
 * BigBird: every block of queries sees the blocks around it, the global blocks and some drawn at random. All of it is
 * one map, so the same seed and sizes give the same mask.
 *
 * Source: Zaheer et al. 2020, §2 and appendix D, with global blocks inside the sequence (ITC) and the paper's defaults.
 */
export function bigBird(options: BigBirdOptions = {}): Mask {
  const { block = 64, window = 3, global = 2, random = 3, seed = 0 } = options;
  checkWhole('bigBird', 'block', block, 1);
  for (const [name, value] of Object.entries({ window, global, random })) checkWhole('bigBird', name, value, 0);
  if (window % 2 === 0) throw new ShapeError(`bigBird: expected an odd window, got ${window}; it lies around its row`);
  const reach = (window - 1) / 2;
  return {
    ...open,
    predicate: {
      perBatch: false,
      perHead: random > 0,
      bind({ H, L, S, offset }) {
        const [rows, columns] = [Math.ceil((offset + L) / block), Math.ceil(S / block)];
        const fixed = (row: number, column: number): boolean =>
          Math.abs(row - column) <= reach || row < global || column < global;
        const drawn = Array.from({ length: random > 0 ? H : 0 }, (_, h) =>
          drawBlocks(new RandomStream(seed).fork(`head ${h}`), { rows, columns, count: random }, fixed),
        );
        return inBlocks(block, (h, row, column) => fixed(row, column) || (drawn[h]?.[row]?.has(column) ?? false));
      },
    },
  };
}

/** For every row `count` columns that are not fixed, or all of those when there are fewer. */
function drawBlocks(
  stream: RandomStream,
  { rows, columns, count }: { readonly rows: number; readonly columns: number; readonly count: number },
  fixed: (row: number, column: number) => boolean,
): readonly ReadonlySet<number>[] {
  return Array.from({ length: rows }, (_, row) => {
    const others = Array.from({ length: columns }, (_, column) => column).filter((column) => !fixed(row, column));
    return new Set(stream.shuffle(others).slice(0, count));
  });
}

function checkWhole(caller: string, name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least)
    throw new ShapeError(`${caller}: expected ${name} a whole number >= ${least}, got ${value}`);
}
