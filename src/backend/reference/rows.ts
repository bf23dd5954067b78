/**
 * Rows by index: read them from a table, or add them to one.
 */

import { checkIndices, type ReferenceKernel } from './kernel.js';

/** out[m] = table[index[m]] */
export const gatherRows: ReferenceKernel<'gather_rows_f32'> = ({ out, table, index }) => {
  const [M, E] = out.shape as [number, number];
  checkIndices('gather_rows_f32', index, table.shape[0] as number);
  for (let m = 0; m < M; m++) {
    const row = index.at(m);
    for (let e = 0; e < E; e++) out.store(out.position(m, e), table.at(row, e));
  }
};

/** table[index[m]] += rows[m], in the order of m, each sum stored before the next. */
export const scatterAddRows: ReferenceKernel<'scatter_add_rows_f32'> = ({ table, rows, index }) => {
  const [M, E] = rows.shape as [number, number];
  checkIndices('scatter_add_rows_f32', index, table.shape[0] as number);
  for (let m = 0; m < M; m++) {
    const row = index.at(m);
    for (let e = 0; e < E; e++) table.store(table.position(row, e), table.at(row, e) + rows.at(m, e));
  }
};
