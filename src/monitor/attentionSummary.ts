/**
 * What each head did on average: the rows of attention records reduced to one number a statistic. Means are over valid
 * rows, so padding and short rows do not fake a collapse. Next: attentionLog.ts.
 */

import { ShapeError } from '../core/errors.js';
import type { AttentionKind, CapturedAttention, StatisticName } from '../core/records.js';
import { RunningMean } from '../metrics/runningMean.js';
import { entropyBin, entropyBins } from './entropyBins.js';

/** Statistics averaged over rows that have an allowed key. */
const averaged = [
  'keys',
  'pMax',
  'entropyNats',
  'squareSum',
  'meanDistance',
  'firstMass',
  'selfMass',
  'previousMass',
  'nextMass',
] as const satisfies readonly StatisticName[];

/** A row is saturated when its largest weight exceeds this: no gradient to speak of passes through it. Our default. */
const saturation = 0.99;

/** One head's attention in numbers; formulas per row: ../backend/contract.ts. */
export interface HeadSummary extends Readonly<Record<(typeof averaged)[number], number>> {
  /** Module path, such as `decoder.blocks.0.crossAttention`. */
  readonly path: string;
  readonly kind: AttentionKind;
  readonly head: number;
  /** Rows counted. With none, every mean is NaN and `logitMax` -Infinity. */
  readonly rows: number;
  /** Rows left out because no key was allowed. */
  readonly maskedRows: number;
  /** Mean over rows with n ≥ 2 allowed keys of entropy / ln n, in [0, 1]; NaN when there are none. */
  readonly entropyRatio: number;
  /** Largest logit of any row. */
  readonly logitMax: number;
  /** Share of rows whose pMax exceeds 0.99. */
  readonly saturatedRatio: number;
  /** Rows with n ≥ 2 by entropy / ln n, in bins of equal width over [0, 1]. Absent in logs of earlier versions. */
  readonly entropyRows?: readonly number[];
  /** Mean mass on keys after their query; only where the layer is meant to be causal. */
  readonly futureMass?: number;
  /** Mean mass on padding; only where the data were padded and the mass was recorded as `setMass`. */
  readonly paddingMass?: number;
  /** Mean mass on delimiters; only where that was recorded as `setMass`. */
  readonly delimiterMass?: number;
}

/**
 * One summary for each path and head, in order of first appearance. Captures of one path, such as several examples run
 * one by one, are taken together, every row weighing the same.
 *
 * `queryLengths` (one for each example of a batch) leaves padded query rows out; by default the capture's own expectation
 * does, and without one all rows are real.
 * Errors: ShapeError when captures of one path differ in heads, or lengths are not as many as examples.
 */
export function summariseAttention(
  captured: readonly CapturedAttention[],
  options: { readonly queryLengths?: ArrayLike<number> } = {},
): HeadSummary[] {
  const paths = new Map<string, { readonly kind: AttentionKind; readonly heads: readonly HeadSums[] }>();
  for (const capture of captured) {
    const { path, kind, record } = capture;
    const known = paths.get(path) ?? { kind, heads: Array.from({ length: record.heads }, () => new HeadSums()) };
    const lengths = options.queryLengths ?? capture.expected?.queryLengths;
    checkCapture(capture, known.heads.length, lengths);
    paths.set(path, known);
    addRecord(known.heads, capture, lengths);
  }
  return [...paths].flatMap(([path, { kind, heads }]) =>
    heads.map((sums, head) => ({ path, kind, head, ...sums.summary() })),
  );
}

type Means = Omit<HeadSummary, 'path' | 'kind' | 'head'>;

/** The sums of one head. */
class HeadSums {
  readonly #means = averaged.map((name) => [name, new RunningMean()] as const);
  readonly #entropyRatio = new RunningMean();
  readonly #saturated = new RunningMean();
  readonly #entropyRows = new Array<number>(entropyBins).fill(0);
  readonly #futureMass = new RunningMean();
  readonly #paddingMass = new RunningMean();
  readonly #delimiterMass = new RunningMean();
  #logitMax = Number.NEGATIVE_INFINITY;
  #maskedRows = 0;

  addRow({ record: { statistics }, expected, setMassOf }: CapturedAttention, row: number): void {
    const keys = statistics.keys[row] ?? 0;
    if (keys === 0) {
      this.#maskedRows++;
      return;
    }
    for (const [name, mean] of this.#means) mean.add(at(statistics, name, row));
    if (keys >= 2) this.#addEntropy(at(statistics, 'entropyNats', row) / Math.log(keys));
    if (expected?.causal) this.#futureMass.add(at(statistics, 'futureMass', row));
    if (setMassOf === 'delimiters') this.#delimiterMass.add(at(statistics, 'setMass', row));
    else if (expected?.keyLengths) this.#paddingMass.add(at(statistics, 'setMass', row));
    this.#saturated.add(at(statistics, 'pMax', row) > saturation ? 1 : 0);
    this.#logitMax = Math.max(this.#logitMax, at(statistics, 'logitMax', row));
  }

  #addEntropy(ratio: number): void {
    this.#entropyRatio.add(ratio);
    const bin = entropyBin(ratio);
    if (bin !== undefined) this.#entropyRows[bin] = (this.#entropyRows[bin] ?? 0) + 1;
  }

  summary(): Means {
    const means = Object.fromEntries(this.#means.map(([name, mean]) => [name, mean.value]));
    return {
      ...(means as Record<(typeof averaged)[number], number>),
      rows: this.#saturated.weight,
      maskedRows: this.#maskedRows,
      entropyRatio: this.#entropyRatio.value,
      logitMax: this.#logitMax,
      saturatedRatio: this.#saturated.value,
      entropyRows: this.#entropyRows,
      ...(this.#futureMass.weight > 0 && { futureMass: this.#futureMass.value }),
      ...(this.#paddingMass.weight > 0 && { paddingMass: this.#paddingMass.value }),
      ...(this.#delimiterMass.weight > 0 && { delimiterMass: this.#delimiterMass.value }),
    };
  }
}

function addRecord(
  heads: readonly HeadSums[],
  capture: CapturedAttention,
  queryLengths: ArrayLike<number> | undefined,
): void {
  const { batch: B, queries: L } = capture.record;
  for (let b = 0; b < B; b++) {
    const length = Math.min(queryLengths?.[b] ?? L, L);
    for (const [h, sums] of heads.entries()) {
      for (let i = 0; i < length; i++) sums.addRow(capture, (b * heads.length + h) * L + i); // [B, H, L]
    }
  }
}

function at(statistics: CapturedAttention['record']['statistics'], name: StatisticName, row: number): number {
  return statistics[name][row] ?? Number.NaN;
}

function checkCapture({ path, record }: CapturedAttention, heads: number, lengths?: ArrayLike<number>): void {
  if (record.heads !== heads) {
    throw new ShapeError(`summariseAttention: expected H = ${heads} in every capture of ${path}, got ${record.heads}`);
  }
  if (lengths !== undefined && lengths.length !== record.batch) {
    throw new ShapeError(`summariseAttention: expected queryLengths [B] = [${record.batch}], got [${lengths.length}]`);
  }
}
