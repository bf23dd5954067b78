/**
 * The options of the attention call, and the checks that name a misspelled or impossible one.
 */

import { ShapeError, StateError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { AttentionCache } from './attentionCache.js';
import type { Mask } from './mask.js';
import type { Normaliser } from './normalisers.js';
import type { AttentionBias } from './relativeBias.js';
import { ScoreProgram } from './scoreMod/program.js';

/** What to record beside the result. Recording never changes the result by a bit. */
export interface RecordOptions {
  /** Per-row statistics of `core/records.ts`, computed inside the kernel in O(L) memory; part of every record. */
  readonly statistics?: true;
  /** Query rows whose weights are kept, O(rows · S) memory. */
  readonly rows?: readonly number[] | 'all';
  /** Radius in positions of the statistic `windowMass`; default 16. */
  readonly window?: number;
  /** Keys that the statistic `setMass` sums over: a u8 tensor, broadcastable to [B, S], not 0 = in the set. */
  readonly keySet?: Tensor;
  /** The K largest weights of every row and their keys, O(L · K) memory. */
  readonly topK?: number;
  /** The sum over all queries of what each key gets, O(S) memory. */
  readonly received?: true;
  /** The pattern pooled to this many bins of queries and of keys. */
  readonly tiles?: number;
  /** For every row the number of allowed keys with a weight below 1e-6. */
  readonly zeroKeys?: true;
}

/** Dropout on the weights: which ones fall depends only on seed, stream and position. */
export interface AttentionDropout {
  /** Probability of dropping a weight, in [0, 1). */
  readonly rate: number;
  readonly seed: number;
  readonly stream?: number;
}

export interface AttentionOptions {
  /** Factor on q·k. Default `1 / sqrt(D)`. */
  readonly scale?: number | undefined;
  /** `softcap · tanh(score / softcap)` before bias and mask; 0 = off (Gemma 2, 2024, §2). */
  readonly softcap?: number | undefined;
  /** Which keys may be attended to; see mask.ts. */
  readonly mask?: Mask | undefined;
  /**
   * Added to the scaled scores: a tensor broadcastable to [B, H, L, S], or a bias by distance such as `alibi`, `t5Bias` or
   * `shaw`; -Infinity forbids the pair.
   */
  readonly bias?: AttentionBias | undefined;
  /** A formula on scores after softcap, before bias and mask; see scoreMod/scoreMod.ts. */
  readonly scoreMod?: ScoreProgram | undefined;
  /** Scores to weights in place of softmax, on the explicit path in O(L·S) memory; see normalisers.ts. */
  readonly normaliser?: Normaliser | undefined;
  /** One logit a head [H] that takes weight and has no value; zeros are the off-by-one softmax (GPT-OSS, 2025; Miller 2023). */
  readonly sinks?: Tensor | undefined;
  readonly dropout?: AttentionDropout | undefined;
  /** Appends k and v, attends over everything cached, and sets the causal offset to the past length. */
  readonly cache?: AttentionCache | undefined;
  /** Position of the first query on the key axis; default the past length of the cache, else 0. */
  readonly offset?: number | undefined;
  readonly record?: RecordOptions | undefined;
}

const optionNames = new Set([
  ...['scale', 'softcap', 'mask', 'bias', 'scoreMod', 'normaliser', 'sinks', 'dropout', 'cache', 'offset', 'record'],
]);
const recordNames = new Set(['statistics', 'rows', 'window', 'keySet', 'topK', 'received', 'tiles', 'zeroKeys']);

/** Throws on unknown names and on values outside their range. */
export function checkOptions(options: AttentionOptions): void {
  refuseUnknown('attention', options, optionNames);
  if (options.record) checkRecord(options.record);
  const { scale, softcap, dropout, offset, scoreMod } = options;
  requireThat(scale === undefined || Number.isFinite(scale), 'a finite scale', scale);
  requireThat(softcap === undefined || (softcap >= 0 && Number.isFinite(softcap)), 'a softcap >= 0', softcap);
  requireThat(offset === undefined || Number.isInteger(offset), 'a whole offset', offset);
  requireThat(
    scoreMod === undefined || scoreMod instanceof ScoreProgram,
    'scoreMod: scoreMod(function)',
    `a ${typeof scoreMod}`,
  );
  requireThat(!dropout || (dropout.rate >= 0 && dropout.rate < 1), 'a dropout rate in [0, 1)', dropout?.rate);
}

function checkRecord(record: RecordOptions): void {
  refuseUnknown('attention: record', record, recordNames);
  for (const name of ['window', 'topK', 'tiles'] as const) {
    const value = record[name];
    const least = name === 'window' ? 0 : 1;
    const fits = value === undefined || (Number.isSafeInteger(value) && value >= least);
    requireThat(fits, `record.${name} a whole number >= ${least}`, value);
  }
  const { keySet } = record;
  requireThat(!keySet || keySet.dtype === 'u8', 'record.keySet a u8 tensor', keySet?.dtype);
}

function refuseUnknown(label: string, given: object, known: ReadonlySet<string>): void {
  for (const name of Object.keys(given)) {
    if (!known.has(name)) throw new StateError(`${label}: expected one of ${[...known].join(', ')}, got ${name}`);
  }
}

function requireThat(condition: boolean, expected: string, got: unknown): void {
  if (!condition) throw new ShapeError(`attention: expected ${expected}, got ${String(got)}`);
}
