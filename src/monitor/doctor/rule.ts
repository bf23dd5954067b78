/**
 * What a rule of the doctor is, and what it sees. One rule is one object in rules/; its thresholds say where they come
 * from. Next: diagnose.ts, which makes findings of it (../../core/finding.ts).
 */

import { type FindingPlace, type Severity, severities } from '../../core/finding.js';
import type { DoctorRecords } from './records.js';

/** A limit, how bad it is to pass it, and who set it. */
export interface Threshold {
  readonly severity: Severity;
  readonly value: number;
  readonly origin: 'published' | 'our default';
  /** What is compared, where a rule has more than one measure. */
  readonly measure?: string;
}

/** Where a rule looked and found something. */
export interface Sighting extends FindingPlace {
  readonly measured: number;
  readonly threshold: Threshold;
  /** The numbers behind it, in words. */
  readonly evidence: string;
}

export interface Rule {
  readonly name: string;
  /** What is measured, in words. */
  readonly measures: string;
  /** Paper, or `our default`. */
  readonly source: string;
  readonly thresholds: readonly Threshold[];
  readonly cause: string;
  readonly remedy: string;
  /** Whether `--check stop` ends a training on it, at severity error. */
  readonly stops?: true;
  readonly find: (records: DoctorRecords, against: DoctorRecords | undefined) => readonly Sighting[];
}

/** The worst threshold that a value passes. */
export function passed(
  thresholds: readonly Threshold[],
  value: number,
  direction: 'above' | 'below',
): Threshold | undefined {
  const exceeds = (threshold: Threshold): boolean =>
    direction === 'above' ? value > threshold.value : value < threshold.value;
  return thresholds.filter(exceeds).reduce<Threshold | undefined>(worse, undefined);
}

function worse(a: Threshold | undefined, b: Threshold): Threshold {
  return a && rankOf(a.severity) >= rankOf(b.severity) ? a : b;
}

export function rankOf(severity: Severity): number {
  return severities.indexOf(severity);
}
