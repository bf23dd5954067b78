/** Relative positions of Shaw: a vector for each clipped distance that joins the keys, and one that joins the values. */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { affine } from '../tensor/elementwise.js';
import { matmul } from '../tensor/linearAlgebra.js';
import type { Tensor } from '../tensor/tensor.js';
import { transpose } from '../tensor/views.js';
import type { BiasCall, RelativeBias, RelativeTerms } from './relativeBias.js';

/** The tables of one layer; row r is distance r - k, and further ones count as k away. */
export interface ShawTables {
  /** [2k + 1, D], shared by the heads, or [H, 2k + 1, D]. */
  readonly keys: Tensor;
  /** [2k + 1, Dv] or [H, 2k + 1, Dv]. */
  readonly values?: Tensor | undefined;
}

/**
 * `score_ij = scale · q_i·(k_j + aK_clip(j - i))`, and with values `out_i = Σ_j p_ij·(v_j + aV_clip(j - i))`.
 *
 * Memory: O(H·L·k), never L×S. The softcap, if any, bends q·k before the term of aK is added. Errors: ShapeError for
 * tables that do not fit.
 * Source: Shaw, Uszkoreit and Vaswani 2018, eq. 3 to 5; q·aK is one product for all pairs, as in their §3.3.
 *
 * @example
 * const { out } = attention(q, k, v, { bias: shaw({ keys, values }) });
 */
export function shaw(tables: ShawTables): RelativeBias {
  const { keys, values } = tables;
  const R = keys.shape.at(-2) ?? 0;
  const fits = keys.shape.length >= 2 && R % 2 === 1 && (values === undefined || values.shape.at(-2) === R);
  if (!fits)
    throw new ShapeError(
      `shaw: expected keys [2k + 1, D] and values [2k + 1, Dv], got ${formatShape(keys.shape)} and ${values ? formatShape(values.shape) : 'none'}`,
    );
  return { terms: (call) => shawTerms(tables, (R - 1) / 2, call) };
}

function shawTerms({ keys, values }: ShawTables, reach: number, { q, scale, sizes }: BiasCall): RelativeTerms {
  const fits = keys.shape.at(-1) === sizes.D && (values === undefined || values.shape.at(-1) === sizes.Dv);
  if (!fits)
    throw new ShapeError(
      `shaw: expected tables of width D = ${sizes.D} and Dv = ${sizes.Dv}, got ${keys.shape.at(-1)} and ${values?.shape.at(-1)}`,
    );
  return { table: matmul(q, transpose(affine(keys, scale, 0))), reach, values }; // [B, H, L, R]
}
