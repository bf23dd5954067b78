/**
 * Where an answer looked, sentence by sentence: the weights of a text classifier followed down to its words, and whether
 * the sentences that were needed are among those it looked at most.
 */

import type { AttentionPicture, CapturedAttention } from '../core/records.js';

/** A run of words: begin and end (exclusive). */
export type Span = readonly [begin: number, end: number];

/**
 * Share of each of `length` words in what the last layer reads, from captured calls with all rows; undefined when no
 * call has weights, as in pooling by the maximum.
 *
 * `r ← ½·r·P̄ + ½·r` from the last self-attention to the first, P̄ being the mean of the heads, from the weights of the
 * pooling, or from the last word. Source: Abnar and Zuidema 2020, §3.
 */
export function wordShares(calls: readonly CapturedAttention[], length: number): Float64Array | undefined {
  const pool = calls.find(({ kind }) => kind === 'cross');
  const layers = calls.filter(({ kind }) => kind === 'self');
  if (pool === undefined && layers.length === 0) return undefined;
  const last = new Float64Array(length).fill(1, length - 1);
  const start = Float64Array.from(pool?.record.weights?.values ?? last);
  return layers.reduceRight(throughLayer, start);
}

function throughLayer(shares: Float64Array, { record }: CapturedAttention): Float64Array {
  const { heads, queries, keys, weights } = record;
  const next = shares.map((share) => share / 2);
  for (let head = 0; head < heads; head++) {
    for (let row = 0; row < queries; row++) {
      const from = (head * queries + row) * keys;
      const share = (shares[row] as number) / 2 / heads;
      for (let key = 0; key < keys; key++)
        next[key] = (next[key] as number) + share * (weights?.values[from + key] ?? 0);
    }
  }
  return next;
}

/** Sum over the words of each sentence. */
export function sentenceShares(shares: ArrayLike<number>, spans: readonly Span[]): number[] {
  return spans.map(([begin, end]) => {
    let sum = 0;
    for (let at = begin; at < end; at++) sum += shares[at] as number;
    return sum;
  });
}

/** Share of the needed sentences that are among as many with the highest shares. */
export function supportRecall(sentences: readonly number[], needed: readonly number[]): number {
  const ranked = [...sentences.keys()].sort((a, b) => (sentences[b] as number) - (sentences[a] as number));
  const looked = new Set(ranked.slice(0, needed.length));
  return needed.filter((sentence) => looked.has(sentence)).length / needed.length;
}

/** A picture with words made one with sentences: weights are summed over the words read, averaged over those that read. */
export function bySentence(
  picture: AttentionPicture,
  spans: readonly Span[],
  names: readonly string[],
): AttentionPicture {
  const rows = picture.rows.length === 1 ? [[0, 1] as const] : spans;
  const weights = rows.map(([begin, end]) => {
    const read = picture.weights.slice(begin, end).map((row) => sentenceShares(row, spans));
    return spans.map((_, at) => read.reduce((sum, row) => sum + (row[at] as number), 0) / read.length);
  });
  return { ...picture, rows: rows === spans ? names : picture.rows, columns: names, weights };
}
