/** Maps of blocks as inputs of the attention cases, and the same pairs as a boolean mask for the kernel without maps. */

import { type Input, input, integers } from '../case.js';

export interface Blocks {
  /** Codes [B, H, X, Y]. */
  readonly blocks: Input;
  /** [N, R, 64] */
  readonly patterns: Input;
}

export interface BlockShape {
  readonly B: number;
  readonly H: number;
  readonly L: number;
  readonly S: number;
}

/** A random map with blocks of `rows` queries: a third empty, a third full, the others one of `kinds` random patterns. */
export function randomBlocks(
  { B, H, L, S }: BlockShape,
  {
    seed,
    rows,
    kinds = 3,
    broadcast = [],
  }: { seed: number; rows: number; kinds?: number; broadcast?: readonly number[] },
): Blocks {
  const draw = integers(
    [B, H, Math.max(1, Math.ceil(L / rows)), Math.max(1, Math.ceil(S / 64))],
    seed,
    [0, 3 * kinds],
    {
      dtype: 'i32',
      broadcast,
    },
  );
  const code = (index: number): number => {
    const drawn = draw.values[index] as number;
    return drawn < kinds ? drawn : drawn < 2 * kinds ? -1 : -2;
  };
  return {
    blocks: input(draw.shape, code, { dtype: 'i32', broadcast }),
    patterns: integers([kinds, rows, 64], seed + 1, [0, 2], { dtype: 'u8' }),
  };
}

/** The pairs that a map and a mask allow, [B, H, L, S]. */
export function pairsOfBlocks({ B, H, L, S }: BlockShape, map: Blocks, mask?: Input): Input {
  const allows = blockReader(map);
  const own = mask && cellReader(mask);
  return input(
    [B, H, L, S],
    (index) => {
      const [row, j] = [Math.floor(index / S), index % S];
      const at = [Math.floor(row / L / H), Math.floor(row / L) % H, row % L, j] as const;
      return Number(allows(...at) && (own?.(...at) ?? 1) !== 0);
    },
    { dtype: 'u8' },
  );
}

/** Whether a map allows a pair. */
export function blockReader({ blocks, patterns }: Blocks): (b: number, h: number, i: number, j: number) => boolean {
  const [, R, C] = patterns.shape as [number, number, number];
  const code = cellReader(blocks);
  return (b, h, i, j) => {
    const found = code(b, h, Math.floor(i / R), Math.floor(j / C));
    return found < 0 ? found === -2 : patterns.values[(found * R + (i % R)) * C + (j % C)] !== 0;
  };
}

function cellReader({ shape, stored, values }: Input): (...at: readonly [number, number, number, number]) => number {
  return (...at) => {
    const index = at.reduce(
      (sum, along, axis) => sum * (stored[axis] as number) + (stored[axis] === shape[axis] ? along : 0),
      0,
    );
    return values[index] as number;
  };
}
