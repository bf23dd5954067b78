/**
 * What the doctor looks at: plain records of heads, of blocks and of training. The log of a run has the first and the
 * last; a checkpoint run over data has all (../../tasks/examine.ts). Next: rule.ts.
 */

import type { AttentionEntry } from '../attentionLog.js';

/** One head at one step: its summary, and what only an examination of a checkpoint knows. */
export interface HeadRecord extends AttentionEntry {
  /** Share of allowed pairs with a weight below 1e-6. */
  readonly zeroRatio?: number;
  /** Share of keys that no query of this head gives 1e-6 on average. */
  readonly ignoredRatio?: number;
  /** Examples by the Gini coefficient of what their keys receive, in ten bins over [0, 1]. */
  readonly unevenExamples?: readonly number[];
  /** Root mean square of the head's output over real rows, relative to the mean of its layer's heads. */
  readonly outputRatio?: number;
  /** Cosine of this head's output with that of every head of its layer, itself included. */
  readonly cosines?: readonly number[];
  /** Values in q, k, v or out that are NaN or infinite. */
  readonly nonFinite?: number;
}

/** One block, or any other module whose output was looked at, at one step. */
export interface BlockRecord {
  readonly path: string;
  readonly step: number;
  /** `‖x - mean over rows‖ / ‖x‖` of the output, mean over examples (Dong et al. 2021, eq. 2, with the mean). */
  readonly residualRatio: number;
  /** Largest absolute value of the output, and the median of absolute values. */
  readonly largest: number;
  readonly median: number;
  readonly nonFinite: number;
}

/** Keys that no head of a layer looks at: the zero-attention of a token, not of a head. */
export interface LayerRecord {
  readonly path: string;
  readonly step: number;
  /** Keys that receive less than 1e-6 on average from every head, and keys in all. */
  readonly ignoredKeys: number;
  readonly keys: number;
}

/** Everything known of one run, checkpoint, split or task. */
export interface DoctorRecords {
  readonly heads: readonly HeadRecord[];
  readonly layers?: readonly LayerRecord[];
  readonly blocks?: readonly BlockRecord[];
  /** Norm of the gradient over training. */
  readonly gradientNorms?: readonly { readonly step: number; readonly value: number }[];
}
