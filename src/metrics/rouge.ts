/** ROUGE-1, ROUGE-2 and ROUGE-L, as the package rouge-score defines them, without its stemmer. */

import { StateError } from '../core/errors.js';
import type { ClassScores } from './classification.js';
import { countNgrams, overlap, total } from './ngrams.js';
import { RunningMean } from './runningMean.js';

export type RougeScores = Readonly<Record<'rouge1' | 'rouge2' | 'rougeL', ClassScores>>;

const kinds = ['rouge1', 'rouge2', 'rougeL'] as const;

/**
 * Means of the scores of segments, in constant memory.
 *
 * Of each segment: precision = shared / predicted, recall = shared / expected, F1 their harmonic mean; of runs of one
 * word, of two, and of the longest common subsequence of words. Of several references the one with the best F1 counts,
 * for each kind on its own. Words are runs of a-z and 0-9 of the lower-cased text: other scripts have none.
 *
 * Equals rouge-score 0.1.2 with `use_stemmer=False`, to rounding. ROUGE-L takes O(N·M) time. Source: Lin 2004.
 */
export class Rouge {
  readonly #means = new Map(kinds.map((kind) => [kind, [new RunningMean(), new RunningMean(), new RunningMean()]]));

  /** Adds a segment. Errors: StateError when there is no reference. */
  add(predicted: string, references: readonly string[]): void {
    if (references.length === 0) throw new StateError('Rouge.add: expected at least one reference, got none');
    const tokens = rougeTokens(predicted);
    const all = references.map((reference) => compare(tokens, rougeTokens(reference)));
    for (const [kind, means] of this.#means) {
      const { precision, recall, f1 } = all.map((scores) => scores[kind]).reduce((a, b) => (b.f1 > a.f1 ? b : a));
      for (const [index, value] of [precision, recall, f1].entries()) means[index]?.add(value);
    }
  }

  /** In [0, 1]; NaN before anything was added. */
  get scores(): RougeScores {
    const entries = [...this.#means].map(([kind, means]) => {
      const [precision, recall, f1] = means.map(({ value }) => value);
      return [kind, { precision, recall, f1 }] as const;
    });
    return Object.fromEntries(entries) as unknown as RougeScores;
  }
}

function rougeTokens(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

function compare(predicted: readonly string[], expected: readonly string[]): RougeScores {
  const runs = (n: number): ClassScores => {
    const [a, b] = [countNgrams(predicted, n), countNgrams(expected, n)];
    return scoresOf(overlap(a, b), total(a), total(b));
  };
  const common = longestCommon(predicted, expected);
  return { rouge1: runs(1), rouge2: runs(2), rougeL: scoresOf(common, predicted.length, expected.length) };
}

function scoresOf(shared: number, predicted: number, expected: number): ClassScores {
  const precision = shared / Math.max(predicted, 1);
  const recall = shared / Math.max(expected, 1);
  return { precision, recall, f1: shared === 0 ? 0 : (2 * precision * recall) / (precision + recall) };
}

/** Length of the longest common subsequence, in memory of one row. */
function longestCommon(a: readonly string[], b: readonly string[]): number {
  // lengths[j] holds the length for a's first i words and b's first j.
  const lengths = new Array<number>(b.length + 1).fill(0);
  for (const word of a) {
    let diagonal = 0;
    for (let j = 1; j <= b.length; j++) {
      const above = lengths[j] ?? 0;
      lengths[j] = word === b[j - 1] ? diagonal + 1 : Math.max(above, lengths[j - 1] ?? 0);
      diagonal = above;
    }
  }
  return lengths[b.length] ?? 0;
}
