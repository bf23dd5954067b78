/**
 * The plain records that leave the computation: what attention did, and what a picture of it needs.
 *
 * Produced by `attention/` and `nn/`, summarised by `monitor/`, drawn by `viz/`. No Tensor, no backend, only numbers.
 */

import { statistics } from './statistics.generated.js';

/** Names of the per-row statistics, in the order in which the kernel writes them. Formulas: backend/contract.ts. */
export const statisticNames = statistics;
export type StatisticName = (typeof statistics)[number];

/** What one attention call did. */
export interface AttentionRecord {
  /** Letters B, H, L, S of the call. */
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  /** One packed [B, H, L] array per statistic; rows without an allowed key hold 0 everywhere, `keys` included. */
  readonly statistics: Readonly<Record<StatisticName, Float32Array>>;
  /** Natural logarithm of the softmax denominator [B, H, L]; -Infinity for fully masked rows. */
  readonly lse: Float32Array;
  /** What each key got, summed over the queries [B, H, S]. */
  readonly received?: Float32Array;
  /** The pattern pooled to [B, H, bins, bins]: mean over a bin of queries of what a bin of keys got; see backend/contract.ts. */
  readonly tiles?: { readonly bins: number; readonly values: Float32Array };
  /** The largest weights of every row and their keys [B, H, L, count], in descending order, filled up with 0 and -1. */
  readonly top?: { readonly count: number; readonly weights: Float32Array; readonly keys: Int32Array };
  /** Allowed keys with a weight below 1e-6, for every row [B, H, L]. */
  readonly zeroKeys?: Float32Array;
  /** What is probably not meant, such as rows whose mask leaves no key; left out when there is nothing to say. */
  readonly warnings?: readonly string[];
  /** The weights of chosen query rows: `values` is packed [B, H, rows.length, S]. */
  readonly weights?: { readonly rows: readonly number[]; readonly values: Float32Array };
}

/** Whether queries and keys come from the same sequence. */
export type AttentionKind = 'self' | 'cross';

/** A record with the place it came from: `path` is the module path, such as `encoder.blocks.0.attention`. */
export interface CapturedAttention {
  readonly path: string;
  readonly kind: AttentionKind;
  readonly record: AttentionRecord;
  /** What the data say should hold, where they say so. */
  readonly expected?: ExpectedAttention;
  /** What its `setMass` is the mass on. Default padding, where the expected lengths are known. */
  readonly setMassOf?: 'delimiters';
  /** What left its heads, where that was looked at. */
  readonly outputs?: HeadOutputs;
}

/** What left the heads of one attention call, over its real queries and keys. */
export interface HeadOutputs {
  /** `dots[h][g] = Σ out_h · out_g` over real rows; the diagonal holds the squared norms. */
  readonly dots: readonly (readonly number[])[];
  /** Values of q, k, v and out that are not finite, by head. */
  readonly nonFinite: readonly number[];
  /** Gini coefficient of what the keys of each example receive, by head and example. */
  readonly unevenness: readonly (readonly number[])[];
  /** Keys that receive less than 1e-6 on average, by head, and those for which that holds in every head. */
  readonly ignored: readonly number[];
  readonly ignoredByAll: number;
  readonly keys: number;
}

/** The output of one block over the real rows of some examples. */
export interface BlockOutputs {
  readonly path: string;
  readonly examples: number;
  /** `‖x - mean over rows‖ / ‖x‖`, mean over examples. */
  readonly residualRatio: number;
  /** Largest absolute value, and median of absolute values. */
  readonly largest: number;
  readonly median: number;
  readonly nonFinite: number;
}

/** What ought to hold of an attention call, whatever masks the model really uses. */
export interface ExpectedAttention {
  /** No query may see a later key. */
  readonly causal: boolean;
  /** Real queries and keys of every example [B]; the rest is padding. */
  readonly queryLengths?: readonly number[];
  readonly keyLengths?: readonly number[];
}

/** One head's weights for one example, ready to be drawn. */
export interface AttentionPicture {
  readonly path: string;
  readonly kind: AttentionKind;
  readonly head: number;
  /** Query tokens, one a row. */
  readonly rows: readonly string[];
  /** Key tokens, one a column. */
  readonly columns: readonly string[];
  /** `weights[row][column]` in [0, 1]; NaN where the mask forbids the pair. */
  readonly weights: readonly (readonly number[])[];
}

/** Queries and keys of one head over one text; every weight follows: `p_ij = exp(scale · q_i·k_j - lse_i)`. */
export interface HeadVectors {
  readonly path: string;
  readonly kind: AttentionKind;
  readonly head: number;
  /** Query tokens [L] and key tokens [S]. */
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** [L, D], [S, D] and [L]. */
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly lse: Float32Array;
  readonly scale: number;
  /** Only keys up to the query's own position are allowed. */
  readonly causal: boolean;
  /** The pattern pooled to [bins, bins], where that was recorded. */
  readonly tiles?: { readonly bins: number; readonly values: Float32Array };
}

/** The blocks of a mask for one head, ready to be drawn. */
export interface MaskPicture {
  readonly name: string;
  /** Queries and keys of a block. */
  readonly block: readonly [number, number];
  /** `kinds[row][column]`: whether nothing, some or all of a block's pairs may attend. */
  readonly kinds: readonly (readonly ('empty' | 'partial' | 'full')[])[];
}
