/**
 * From the options of a record to the kernel's words: an output for everything that was asked for. Next: recording.ts,
 * which reads them.
 */

import type { Backend } from '../backend/contract.js';
import { ShapeError } from '../core/errors.js';
import { statisticNames } from '../core/records.js';
import { formatShape } from '../core/shape.js';
import { allocate, type Tensor } from '../tensor/tensor.js';
import { expand } from '../tensor/views.js';
import type { AttentionSizes } from './operands.js';
import type { RecordOptions } from './options.js';

/** statistics, received, tiles, topWeights, topKeys, zeroKeys; of size 0 where not asked for. */
export type RecordedTensors = readonly [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];

const defaultWindow = 16;

export function allocateRecord(
  backend: Backend,
  { B, H, L, S }: AttentionSizes,
  record: RecordOptions | undefined,
): RecordedTensors {
  const { topK = 0, tiles = 0, received, zeroKeys } = record ?? {};
  const room = (wanted: unknown, shape: readonly number[], dtype: 'f32' | 'i32' = 'f32'): Tensor =>
    allocate(backend, dtype, wanted ? shape : [0]);
  return [
    room(record, [statisticNames.length, B, H, L]),
    room(received, [B, H, S]),
    room(tiles, [B, H, tiles, tiles]),
    room(topK, [B, H, L, topK]),
    room(topK, [B, H, L, topK], 'i32'),
    room(zeroKeys, [B, H, L]),
  ];
}

/** What of it goes to the kernel, by the kernel's names. */
export function recordedOperands([statistics, received, tiles, topWeights, topKeys, zeroKeys]: RecordedTensors): {
  readonly [Name in 'statistics' | 'received' | 'tiles' | 'topWeights' | 'topKeys' | 'zeroKeys']: Tensor | undefined;
} {
  const asked = (output: Tensor): Tensor | undefined => (output.shape.length > 1 ? output : undefined);
  return {
    statistics: asked(statistics),
    received: asked(received),
    tiles: asked(tiles),
    topWeights: asked(topWeights),
    topKeys: asked(topKeys),
    zeroKeys: asked(zeroKeys),
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
