/**
 * How far back information travels through layers of one mask: a walk over its map of blocks. Not what a trained model
 * makes of it, which is in its record. Next: blockMap.ts.
 */

import { type BlockMap, fullBlock } from './blockMap.js';

/**
 * After 1 … `layers` layers the largest N such that each of the N positions before the last one can have changed the last
 * one's state. All heads of a layer count together, and a position keeps its own state (the residual connection).
 *
 * A window of w keys before the query's own reaches n·w through n layers. A dilated one alone reaches 0: the neighbour is
 * never seen.
 *
 * Shapes: the map of L queries and L keys. Time: O(positions seen · blocks a row · heads), at most; memory: O(L).
 */
export function reachBack(map: BlockMap, { L, layers }: { readonly L: number; readonly layers: number }): number[] {
  const seen = new Uint8Array(L);
  seen[L - 1] = 1;
  const reaches: number[] = [];
  let latest = [L - 1];
  for (let layer = 0; layer < layers; layer++) {
    const far = reaches.at(-1) ?? 0;
    latest = far === L - 1 ? [] : latest.flatMap((q) => newKeys(map, q, seen));
    reaches.push(latest.length === 0 ? far : unbroken(seen));
  }
  return reaches;
}

/** How many positions before the last are seen without a gap. */
function unbroken(seen: Uint8Array): number {
  return seen.length - 2 - seen.lastIndexOf(0);
}

/** Marks what query q may attend to in any head, and returns what was not marked before. */
function newKeys(
  { shape: [, H, rows, columns], block: [R, C], codes, patterns }: BlockMap,
  q: number,
  seen: Uint8Array,
): number[] {
  const found: number[] = [];
  const row = Math.floor(q / R);
  for (let h = 0; h < H; h++)
    for (let column = 0; column < columns; column++) {
      const code = codes[(h * rows + row) * columns + column] as number;
      if (code < 0 && code !== fullBlock) continue;
      const pattern = (code * R + (q % R)) * C;
      const end = Math.min(C, seen.length - column * C);
      for (let cell = 0; cell < end; cell++) {
        const k = column * C + cell;
        if (seen[k] !== 0 || (code !== fullBlock && patterns[pattern + cell] === 0)) continue;
        seen[k] = 1;
        found.push(k);
      }
    }
  return found;
}
