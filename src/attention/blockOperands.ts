/**
 * The map of a mask's blocks as operands of the kernel. A map is made once for a mask object and sizes, and its tensors
 * once for a backend: the cache hangs on the mask and goes with it. Next: blockMap.ts.
 */

import { sizeOf } from '../core/shape.js';
import { tensor } from '../tensor/create.js';
import { keep } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { expand } from '../tensor/views.js';
import { allowsPair, type BlockMap, compilePredicate } from './blockMap.js';
import type { Mask } from './mask.js';
import type { MaskSizes, Span } from './maskPredicate.js';

/** Optional operands of the attention kernels: i32 [B, H, X, Y] and u8 [patterns, R, 64]. */
export interface BlockOperands {
  readonly blocks?: Tensor;
  readonly patterns?: Tensor;
}

interface Compiled {
  readonly map: BlockMap;
  readonly tensors: WeakMap<Tensor['backend'], { readonly codes: Tensor; readonly patterns: Tensor }>;
}

/** Most sizes of one mask that are remembered; decoding with a cache asks for new sizes at every step. */
const remembered = 16;
const compiledMasks = new WeakMap<Mask, Map<string, Compiled>>();

/** The map of what the mask asks beyond windows, lengths and tensors; undefined when there is nothing. */
export function blockMapOf(mask: Mask | undefined, sizes: MaskSizes): BlockMap | undefined {
  return compiled(mask, sizes)?.map;
}

/** The operands for a call of these sizes on the tensors' backend. */
export function blockOperands(mask: Mask | undefined, sizes: MaskSizes, { backend }: Tensor): BlockOperands {
  const found = compiled(mask, sizes);
  if (found === undefined) return {};
  const { codes, patterns } = found.tensors.get(backend) ?? place(found, backend);
  const [, , X, Y] = found.map.shape;
  return { blocks: expand(codes, [sizes.B, sizes.H, X, Y]), patterns };
}

function place(
  { map, tensors }: Compiled,
  backend: Tensor['backend'],
): { readonly codes: Tensor; readonly patterns: Tensor } {
  const [R, C] = map.block;
  const placed = {
    codes: keep(tensor(map.codes, map.shape, { dtype: 'i32', backend })),
    patterns: keep(tensor(map.patterns, [map.patterns.length / (R * C), R, C], { dtype: 'u8', backend })),
  };
  tensors.set(backend, placed);
  return placed;
}

function compiled(mask: Mask | undefined, sizes: MaskSizes): Compiled | undefined {
  const predicate = mask?.predicate;
  if (!mask || !predicate) return undefined;
  const maps = compiledMasks.get(mask) ?? new Map<string, Compiled>();
  compiledMasks.set(mask, maps);
  const { L, S, offset } = sizes;
  const key = [predicate.perBatch && sizes.B, predicate.perHead && sizes.H, L, S, offset].join();
  const found = maps.get(key) ?? { map: compilePredicate(predicate, mask, sizes), tensors: new WeakMap() };
  maps.delete(key); // the newest is last
  maps.set(key, found);
  const [oldest] = maps.keys();
  if (maps.size > remembered && oldest !== undefined) maps.delete(oldest);
  return found;
}

/** A part of the pattern. */
interface Part {
  readonly heads: Span;
  readonly rows: Span;
  readonly columns: Span;
}

/** Some of the map's pairs as a u8 tensor [1 | B, 1 | heads, rows, columns]: what `peek` needs of it. */
export function pairsOf(map: BlockMap, { heads, rows, columns }: Part, { backend }: Tensor): Tensor {
  const [B, shared] = [map.shape[0], map.shape[1] === 1];
  const { start, end } = shared ? { start: 0, end: 1 } : heads;
  const shape = [B, end - start, rows.end - rows.start, columns.end - columns.start];
  const values = new Uint8Array(sizeOf(shape));
  let at = 0;
  for (let b = 0; b < B; b++)
    for (let h = start; h < end; h++)
      for (let i = rows.start; i < rows.end; i++)
        for (let j = columns.start; j < columns.end; j++) values[at++] = Number(allowsPair(map, b, h, i, j));
  return tensor(values, shape, { dtype: 'u8', backend });
}
