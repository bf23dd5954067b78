/**
 * From the options of a record to the kernel's words: an output for everything that was asked for. Next: recording.ts,
 * which reads them.
 */

import { ShapeError } from '../core/errors.js';
import { statisticNames } from '../core/records.js';
import { formatShape } from '../core/shape.js';
import { allocate, type Tensor } from '../tensor/tensor.js';
import { expand } from '../tensor/views.js';
import type { AttentionSizes } from './operands.js';
import type { RecordOptions } from './options.js';

/** What the forward kernel writes beside its result, as far as it was asked for. */
export type KernelRecord = {
  readonly [Name in 'statistics' | 'received' | 'tiles' | 'topWeights' | 'topKeys' | 'zeroKeys']: Tensor | undefined;
};

/** The same with every statistic [B, H, L] on its own, in the order of their names. */
export type RecordedTensors = Omit<KernelRecord, 'statistics'> & { readonly statistics: readonly Tensor[] };

const defaultWindow = 16;

export function allocateRecord(
  { backend }: Tensor,
  { B, H, L, S }: AttentionSizes,
  record: RecordOptions | undefined,
): KernelRecord {
  const { topK, tiles, received, zeroKeys } = record ?? {};
  const room = (wanted: unknown, shape: readonly number[], dtype: 'f32' | 'i32' = 'f32'): Tensor | undefined =>
    wanted ? allocate(backend, dtype, shape) : undefined;
  return {
    statistics: room(record, [statisticNames.length, B, H, L]),
    received: room(received, [B, H, S]),
    tiles: room(tiles, [B, H, tiles ?? 0, tiles ?? 0]),
    topWeights: room(topK, [B, H, L, topK ?? 0]),
    topKeys: room(topK, [B, H, L, topK ?? 0], 'i32'),
    zeroKeys: room(zeroKeys, [B, H, L]),
  };
}

/** The set of keys as a view [B, S], and the window's radius. */
export function recordOperands(
  { B, S }: AttentionSizes,
  record: RecordOptions | undefined,
): { readonly set: Tensor | undefined; readonly window: number } {
  const { keySet, window = defaultWindow } = record ?? {};
  const wanted = [B, S];
  const fits = keySet?.shape.every((size, axis) => size === 1 || size === wanted[axis + 2 - keySet.shape.length]);
  if (keySet && (!fits || keySet.shape.length > 2))
    throw new ShapeError(
      `attention: expected record.keySet broadcastable to [B, S] = [${B}, ${S}], got ${formatShape(keySet.shape)}`,
    );
  return { set: keySet && expand(keySet, wanted), window };
}
