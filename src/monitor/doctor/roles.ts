/** What a head does, from its records: the roles that heads of trained models are known to take. */

import { ShapeError } from '../../core/errors.js';
import type { AttentionRecord, CapturedAttention } from '../../core/records.js';
import { type HeadSummary, summariseAttention } from '../attentionSummary.js';

export const headRoles = ['previous', 'next', 'same', 'delimiter', 'induction', 'duplicate', 'broad', 'none'] as const;
export type HeadRole = (typeof headRoles)[number];

/** More than half the mass makes a role (Clark et al. 2019, §3). */
const half = 0.5;
/** Normalised entropy above which a head counts as broad. Our default. */
const broad = 0.8;

/** Measures that only some records hold. */
export interface RoleMeasures {
  /** Mean mass on delimiters. Default that of the summary, where it has one. */
  readonly delimiterMass?: number;
  readonly scores?: RepeatScores;
}

/** One head, its role, and the figures that the role follows from; those that the records lack are absent. */
export interface HeadRoleRecord {
  readonly path: string;
  readonly head: number;
  readonly role: HeadRole;
  readonly figures: Readonly<Partial<Record<Exclude<HeadRole, 'broad' | 'none'>, number>>> & {
    readonly entropyRatio: number;
  };
}

/**
 * The role of every head, from what it did on data, and where there are any on random texts of `period` tokens written
 * twice. A delimiter counts where the records hold the mass on delimiters.
 */
export function headRolesOf(
  captured: readonly CapturedAttention[],
  repeats?: { readonly captured: readonly CapturedAttention[]; readonly period: number },
): HeadRoleRecord[] {
  const scores = new Map(repeats?.captured.map(({ path, record }) => [path, repeatScores(record, repeats.period)]));
  return summariseAttention(captured).map((summary) => {
    const { path, head, previousMass, nextMass, selfMass, delimiterMass, entropyRatio } = summary;
    const own = scores.get(path)?.[head];
    const delimiter = delimiterMass === undefined ? {} : { delimiter: delimiterMass };
    const figures = { previous: previousMass, next: nextMass, same: selfMass, ...delimiter, ...own, entropyRatio };
    return { path, head, role: roleOf(summary, own && { scores: own }), figures };
  });
}

/** The first role of the list that the head's numbers show. */
export function roleOf(
  head: HeadSummary,
  { delimiterMass = head.delimiterMass ?? 0, scores }: RoleMeasures = {},
): HeadRole {
  const masses: Readonly<Record<Exclude<HeadRole, 'broad' | 'none'>, number>> = {
    previous: head.previousMass,
    next: head.nextMass,
    same: head.selfMass,
    delimiter: delimiterMass,
    induction: scores?.induction ?? 0,
    duplicate: scores?.duplicate ?? 0,
  };
  const [best] = Object.entries(masses).sort(([, a], [, b]) => b - a);
  if (best && best[1] > half) return best[0] as HeadRole;
  return head.entropyRatio > broad ? 'broad' : 'none';
}

/** Mean weights of the second copy of a text on places in the first. */
export interface RepeatScores {
  /** On the token after the first copy of the query's own (Olsson et al. 2022, "prefix matching"). */
  readonly induction: number;
  /** On the first copy itself. */
  readonly duplicate: number;
}

/**
 * Scores of every head on a random sequence repeated twice, `period` tokens each.
 *
 * The record must hold the weights of all rows of 2·period queries and as many keys. Errors: ShapeError otherwise.
 */
export function repeatScores(
  { batch, heads, queries, keys, weights }: AttentionRecord,
  period: number,
): RepeatScores[] {
  if (!weights || weights.rows.length !== queries || queries !== 2 * period || keys !== queries)
    throw new ShapeError(`repeatScores: expected the weights of all rows of ${2 * period} tokens, got another record`);
  const meanAt = (head: number, back: number): number => {
    let sum = 0;
    for (let b = 0; b < batch; b++) {
      for (let i = period; i < queries; i++) {
        sum += weights.values[((b * heads + head) * queries + i) * keys + i - back] ?? 0;
      }
    }
    return sum / (batch * period);
  };
  return Array.from({ length: heads }, (_, head) => ({
    induction: meanAt(head, period - 1),
    duplicate: meanAt(head, period),
  }));
}
