/**
 * Any part of the attention pattern after the fact, recomputed from q, k and lse in O(D) a weight: no L×S buffer was
 * ever needed to be able to look.
 */

import { ShapeError } from '../core/errors.js';
import { concat } from '../tensor/join.js';
import { noGrad } from '../tensor/recording.js';
import { scope } from '../tensor/scope.js';
import { allocate, type Tensor } from '../tensor/tensor.js';
import { expand, slice } from '../tensor/views.js';
import { blockMapOf, pairsOf } from './blockOperands.js';
import { computeAttentionWeights } from './explicit.js';
import { and, booleanMask, type Mask } from './mask.js';
import { type AttentionSizes, attentionSizes, maskOperands, scoreScalars } from './operands.js';
import type { AttentionOptions } from './options.js';
import { biasOperands, spreadRelative } from './relativeBias.js';
import { scoreOperands } from './scoreMod/program.js';

/** A call to look into: its q and k, the lse it returned, and the options it was made with. */
export interface PeekSource
  extends Pick<AttentionOptions, 'scale' | 'softcap' | 'mask' | 'bias' | 'scoreMod' | 'offset' | 'normaliser'> {
  /** [B, H, L, D] */
  readonly q: Tensor;
  /** [B, G, S, D]; with a cache, everything cached. */
  readonly k: Tensor;
  /** [B, H, L] */
  readonly lse: Tensor;
}

/** A half-open range of positions. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Which part to see: ranges or lists of positions; left out means all. Both together are a tile. */
export interface PeekSelection {
  readonly rows?: readonly number[] | Range;
  readonly columns?: readonly number[] | Range;
  readonly head?: number;
}

/**
 * Weights `p_ij = exp(s_ij - lse_i)` of the selected rows and columns, before dropout; forbidden pairs are exactly 0.
 *
 * Shapes: → [B, H, rows, columns], H = 1 when a head is chosen.
 * Memory: O(rows · columns); with a normaliser O(L·S), since it sees whole rows of all heads. Errors: ShapeError for a position or head outside the call.
 */
export function peek(source: PeekSource, selection: PeekSelection = {}): Tensor {
  const sizes = attentionSizes('peek', source.q, source.k);
  const heads = selection.head === undefined ? { start: 0, end: sizes.H } : single('head', selection.head, sizes.H);
  const rows = ranges('rows', selection.rows, sizes.L);
  const columns = ranges('columns', selection.columns, sizes.S);
  return noGrad(() =>
    scope(() => {
      const whole = source.normaliser && computeAttentionWeights(source.q, source.k, source); // [B, H, L, S]
      const part = (at: Tile): Tensor => (whole ? cutTile(whole, at) : tile(source, sizes, at));
      const strips = rows.map((row) => columns.map((column) => part({ heads, row, column })));
      return joined(
        strips.map((strip) => joined(strip, 3)),
        2,
      ); // [B, H, rows, columns]
    }),
  );
}

interface Tile {
  readonly heads: Range;
  readonly row: Range;
  readonly column: Range;
}

function tile(source: PeekSource, sizes: AttentionSizes, { heads, row, column }: Tile): Tensor {
  const group = sizes.H / sizes.G;
  const keyHeads = { start: Math.floor(heads.start / group), end: Math.floor((heads.end - 1) / group) + 1 };
  const rowsOf = (x: Tensor): Tensor => cut(cut(x, 1, heads), 2, row);
  const blockOf = (x: Tensor | undefined): Tensor | undefined => x && cut(rowsOf(x), 3, column);
  const scalarMask = source.mask && shiftKeys({ ...source.mask, predicate: undefined }, column.start);
  const { scale, offset } = scoreScalars(sizes, source);
  const { bias, relative, reach } = biasOperands('peek', { sizes, q: source.q, scale, offset }, source.bias);
  const table = spreadRelative(relative, sizes);
  const { mask, lengths } = maskOperands('peek', sizes, source.q, { offset, mask: scalarMask });
  const scalars = scoreScalars(sizes, source, reach);
  const origin = { h: heads.start, k: column.start };
  const weights = allocate(source.q.backend, 'f32', [sizes.B, lengthOf(heads), lengthOf(row), lengthOf(column)]);
  source.q.backend.run(
    'attention_weights_f32',
    {
      weights,
      q: rowsOf(source.q),
      k: cut(cut(source.k, 1, keyHeads), 2, column),
      lse: rowsOf(source.lse),
      mask: pairsAllowed(blockOf(mask), predicatePairs(source, sizes, { heads, row, column }), weights.shape),
      bias: blockOf(bias),
      lengths,
      relative: table && rowsOf(table),
      ...scoreOperands(source.scoreMod, sizes, scalars.offset, source.q, origin),
    },
    { ...scalars, offset: scalars.offset + row.start - column.start },
  );
  return weights;
}

/** The mask's predicate for the tile's pairs: as many as weights are wanted. */
function predicatePairs(source: PeekSource, sizes: AttentionSizes, { heads, row, column }: Tile): Tensor | undefined {
  const map = blockMapOf(source.mask, { ...sizes, offset: source.offset ?? 0 });
  return map && pairsOf(map, { heads, rows: row, columns: column }, source.q);
}

function pairsAllowed(a: Tensor | undefined, b: Tensor | undefined, shape: readonly number[]): Tensor | undefined {
  const { allowed } = and(...[a, b].flatMap((pairs) => (pairs ? [booleanMask(pairs)] : [])));
  return allowed && expand(allowed, shape);
}

function cutTile(whole: Tensor, { heads, row, column }: Tile): Tensor {
  return cut(cut(cut(whole, 1, heads), 2, row), 3, column);
}

/** Key lengths as seen from key `start` on. */
function shiftKeys(mask: Mask, start: number): Mask {
  return mask.lengths ? { ...mask, lengths: mask.lengths.map((length) => Math.max(0, length - start)) } : mask;
}

function ranges(label: string, selected: readonly number[] | Range | undefined, size: number): readonly Range[] {
  if (selected === undefined) return [{ start: 0, end: size }];
  if ('start' in selected) return [checkedRange(label, selected, size)];
  return selected.map((position) => single(label, position, size));
}

function single(label: string, position: number, size: number): Range {
  return checkedRange(label, { start: position, end: position + 1 }, size);
}

function checkedRange(label: string, { start, end }: Range, size: number): Range {
  if (Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= size)
    return { start, end };
  throw new ShapeError(`peek: expected ${label} within [0, ${size}), got [${start}, ${end})`, { start, end, size });
}

function cut(x: Tensor, axis: number, { start, end }: Range): Tensor {
  return slice(x, axis, start, end);
}

function lengthOf({ start, end }: Range): number {
  return end - start;
}

function joined(parts: readonly Tensor[], axis: number): Tensor {
  const [only, ...more] = parts;
  if (only === undefined) throw new ShapeError('peek: expected at least one position, got an empty list');
  return more.length === 0 ? only : concat(parts, axis);
}
