/**
 * Biases that depend on the distance between key and query, and how they are worded for the kernel: a table by distance,
 * which the kernel reads where it lies, so that no L×S matrix exists. The kinds of papers: alibi.ts, t5Bias.ts, shaw.ts;
 * the window of images, a small matrix, is swinBias.ts. Next: attention.ts.
 */

import { ShapeError } from '../core/errors.js';
import { formatShape } from '../core/shape.js';
import { tensor } from '../tensor/create.js';
import { embedding } from '../tensor/indexing.js';
import { Tensor } from '../tensor/tensor.js';
import { expand, reshape } from '../tensor/views.js';
import { type AttentionSizes, spread } from './sizes.js';

/** What a bias has to know about the call. */
export interface BiasCall {
  readonly sizes: AttentionSizes;
  /** [B, H, L, D] */
  readonly q: Tensor;
  readonly scale: number;
  /** Position of the first query on the key axis. */
  readonly offset: number;
}

/** Score of pair (i, j) += `table[b, h, i, clamp(j - (i + offset) + reach, 0, R - 1)]`. */
export interface RelativeTerms {
  /** Broadcastable to [B, H, L, R]; -Infinity forbids. */
  readonly table: Tensor;
  /** Column of distance 0. */
  readonly reach: number;
  /** A vector for each distance, broadcastable to [B, H, R, Dv], that joins v: out_i += Σ_j p_ij·values[r_ij]. */
  readonly values?: Tensor | undefined;
}

/** A bias by distance, worded once the sizes are known. Make your own with `relativeBias`, or one of the papers'. */
export interface RelativeBias {
  readonly terms: (call: BiasCall) => RelativeTerms;
}

/** What the option `bias` takes: scores to add, or a bias by distance. */
export type AttentionBias = Tensor | RelativeBias;

/** The bias as operands of the kernels. */
export interface BiasOperands {
  /** [B, H, L, S] */
  readonly bias?: Tensor | undefined;
  /** As given, rank 4: [1 or B, 1 or H, 1 or L, R]. */
  readonly relative?: Tensor | undefined;
  readonly reach: number;
  /** [R, Dv] or up to [B, H, R, Dv] */
  readonly values?: Tensor | undefined;
}

/**
 * One learned score for each distance from -reach to reach; what is further counts as `reach` away.
 *
 * Shapes: table broadcastable to [B, H, L, 2·reach + 1]; [H, 1, R] is one table a head. Memory: O(R), never L×S.
 * Errors: ShapeError for an even number of columns when `reach` is left out.
 *
 * @example
 * const bias = relativeBias(zeros([heads, 1, 2 * 16 + 1])); // distances up to 16
 */
export function relativeBias(table: Tensor, options: { readonly reach?: number } = {}): RelativeBias {
  const R = table.shape.at(-1) ?? 0;
  const { reach = (R - 1) / 2 } = options;
  if (R < 1 || !Number.isInteger(reach))
    throw new ShapeError(
      `relativeBias: expected a table [..., 2·reach + 1] or a whole reach, got ${formatShape(table.shape)} and ${reach}`,
    );
  return { terms: () => ({ table, reach }) };
}

/** The operands of one call; `bias` is checked against its sizes. */
export function biasOperands(name: string, call: BiasCall, bias: AttentionBias | undefined): BiasOperands {
  const { B, H, L, S } = call.sizes;
  if (!bias) return { reach: 0 };
  if (bias instanceof Tensor) return { bias: spread(name, 'bias', bias, [B, H, L, S]), reach: 0 };
  const { table, reach, values } = bias.terms(call);
  const R = table.shape.at(-1) ?? 0;
  spread(name, 'the bias by distance', table, [B, H, L, R]);
  return { relative: rankFour(table), reach, values };
}

/** The table as [B, H, L, R], for the kernels. */
export function spreadRelative(relative: Tensor | undefined, { B, H, L }: AttentionSizes): Tensor | undefined {
  return relative && expand(relative, [B, H, L, relative.shape[3] as number]);
}

function rankFour(table: Tensor): Tensor {
  return reshape(table, [...Array<number>(4 - table.shape.length).fill(1), ...table.shape]);
}

/** The whole matrix of scores that the kernels never make, [1 or B, 1 or H, L, S]: for the explicit path. */
export function explicitBias({ sizes: { L, S }, offset }: BiasCall, { bias, relative, reach }: BiasOperands) {
  if (!relative) return bias;
  const [B, H, rows, R] = relative.shape as [number, number, number, number];
  const columns = Int32Array.from({ length: B * H * L * S }, (_, index) => {
    const [head, i, j] = [Math.floor(index / (L * S)), Math.floor(index / S) % L, index % S];
    const row = rows === 1 ? head : head * L + i;
    return row * R + Math.max(0, Math.min(R - 1, j - (i + offset) + reach));
  });
  const ids = tensor(columns, [B, H, L, S], { backend: relative.backend });
  return reshape(embedding(reshape(relative, [relative.size, 1]), ids), [B, H, L, S]);
}
