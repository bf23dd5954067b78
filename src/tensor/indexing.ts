/** Rows of a table by index: the embedding lookup. Its gradient adds rows up in the order of the indices. */

import { DTypeError, ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { flatOf, rowsOf, viewOf } from './broadcast.js';
import { defineOperation } from './operation.js';
import { allocate, type Tensor } from './tensor.js';

const embeddingOperation = defineOperation({
  name: 'embedding',
  forward: ([table, ids]: readonly [Tensor, Tensor]) => {
    const E = table.shape[1] as number;
    const out = allocate(table.backend, 'f32', [...ids.shape, E]);
    table.backend.run('gather_rows_f32', { out: viewOf(out, [ids.size, E], [E, 1]), table, index: flatOf(ids) }, {});
    return { outputs: [out] };
  },
  backward: ({ inputs: [table, ids], needs }, [dout]) => {
    if (!needs[0]) return [undefined, undefined];
    const dtable = allocate(table.backend, 'f32', table.shape);
    table.backend.run('fill_f32', { out: dtable }, { value: 0 });
    const operands = { table: dtable, rows: rowsOf(dout), index: flatOf(ids) };
    table.backend.run('scatter_add_rows_f32', operands, {});
    return [dtable, undefined];
  },
});

/**
 * `table[ids]`.
 *
 * Shapes: table [V, E], ids (i32) [...] → [..., E]. Numerics: a copy, bit for bit.
 * @throws ShapeError for a table that is not a matrix, DTypeError for ids that are not i32, an error of the backend for
 * an id outside [0, V).
 */
export function embedding(table: Tensor, ids: Tensor): Tensor {
  if (table.shape.length !== 2) {
    throw new ShapeError(`embedding: expected table [V, E], got ${formatShape(table.shape)}`, { shape: table.shape });
  }
  if (ids.dtype !== 'i32') throw new DTypeError(`embedding: expected i32 ids, got ${ids.dtype}`);
  return embeddingOperation([table, ids])[0];
}
