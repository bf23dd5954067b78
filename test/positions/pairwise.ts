/**
 * Attention with positions as the papers write it: float64, pair by pair, no tensor and nothing of src/. The oracle of the
 * property tests.
 */

/** [B][H][L or S][width] */
export type Heads = readonly (readonly (readonly (readonly number[])[])[])[];

export interface PairwiseOptions {
  readonly scale: number;
  /** What is added to the score of a pair. */
  readonly score: (h: number, i: number, j: number, q: readonly number[]) => number;
  /** What is added to the value of a pair. */
  readonly value?: (h: number, i: number, j: number) => readonly number[];
  readonly allowed: (i: number, j: number) => boolean;
  /** Logit of each head that has no value. */
  readonly sinks?: readonly number[] | undefined;
}

/** out [B][H][L][Dv]; query head h reads key head floor(h / (H/G)). */
export function pairwiseAttention(q: Heads, k: Heads, v: Heads, options: PairwiseOptions): Heads {
  return q.map((heads, b) =>
    heads.map((rows, h) => {
      const g = Math.floor(h / (heads.length / (k[b]?.length ?? 1)));
      const [keys, values] = [k[b]?.[g] ?? [], v[b]?.[g] ?? []];
      return rows.map((row, i) => attend(row, keys, values, h, i, options));
    }),
  );
}

type Rows = readonly (readonly number[])[];

function attend(
  q: readonly number[],
  keys: Rows,
  values: Rows,
  h: number,
  i: number,
  options: PairwiseOptions,
): number[] {
  const { scale, score, value, allowed, sinks } = options;
  const width = values[0]?.length ?? 0;
  const seen = keys.flatMap((key, j) => (allowed(i, j) ? [{ j, s: scale * dot(q, key) + score(h, i, j, q) }] : []));
  const out = new Array<number>(width).fill(0);
  if (seen.length === 0) return out;
  const sink = sinks?.[h] ?? -Infinity;
  const most = seen.reduce((largest, { s }) => Math.max(largest, s), sink);
  const total = seen.reduce((sum, { s }) => sum + Math.exp(s - most), Math.exp(sink - most));
  for (const { j, s } of seen) {
    const more = value?.(h, i, j);
    for (let d = 0; d < width; d++)
      out[d] = (out[d] as number) + (Math.exp(s - most) / total) * ((values[j]?.[d] as number) + (more?.[d] ?? 0));
  }
  return out;
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, d) => sum + x * (b[d] as number), 0);
}
