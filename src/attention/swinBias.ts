/** The relative bias of windows of an image (Swin): one learned score a head for each offset of two pixels. */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor } from '../tensor/create.js';
import { embedding } from '../tensor/indexing.js';
import type { Tensor } from '../tensor/tensor.js';
import { permute, reshape } from '../tensor/views.js';

/**
 * Scores to add for a window of h × w pixels, in rows: `table[(yi - yj + h - 1)·(2w - 1) + (xi - xj + w - 1), head]`.
 *
 * Shapes: table [(2h - 1)·(2w - 1), H], `relative_position_bias_table` of a checkpoint → [1, H, h·w, h·w], for the option
 * `bias`. Windows are small: 7 × 7 makes 49 × 49 scores a head. Errors: ShapeError for a table of another size.
 * Source: Liu et al. 2021 (Swin Transformer), eq. 4.
 *
 * @example
 * const { out } = attention(q, k, v, { bias: swinBias(table, [7, 7]) }); // L = S = 49
 */
export function swinBias(table: Tensor, window: readonly [height: number, width: number]): Tensor {
  const [height, width] = window;
  const offsets = (2 * height - 1) * (2 * width - 1);
  if (table.shape.length !== 2 || table.shape[0] !== offsets)
    throw new ShapeError(
      `swinBias: expected table [(2h - 1)·(2w - 1), H] = [${offsets}, *], got ${formatShape(table.shape)}`,
    );
  const pixels = height * width;
  const ids = Int32Array.from({ length: pixels ** 2 }, (_, pair) => {
    const [i, j] = [Math.floor(pair / pixels), pair % pixels];
    const down = Math.floor(i / width) - Math.floor(j / width) + height - 1;
    return down * (2 * width - 1) + (i % width) - (j % width) + width - 1;
  });
  const rows = embedding(table, tensor(ids, [pixels, pixels], { backend: table.backend })); // [L, L, H]
  return reshape(permute(rows, [2, 0, 1]), [1, table.shape[1] as number, pixels, pixels]);
}
