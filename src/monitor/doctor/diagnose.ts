/** The attention doctor: plain records in, findings out. What it looks for: rules.ts. How to read it: docs/doctor.md. */

import { StateError } from '../../core/errors.js';
import type { Finding, Severity } from '../../core/finding.js';
import type { DoctorRecords } from './records.js';
import { type Rule, rankOf, type Sighting } from './rule.js';
import { rules as allRules } from './rules.js';

export interface DiagnoseOptions {
  /** Another run, checkpoint, split or task to compare with: what moved between the two is found as well. */
  readonly against?: DoctorRecords | undefined;
  /** Default all. */
  readonly rules?: readonly Rule[];
  /** Where a picture of a place is, or the command that draws it. */
  readonly pictureOf?: (where: Pick<Sighting, 'path' | 'head'>) => string | undefined;
}

/**
 * Applies every rule to the records, and returns what was found, the worst first.
 *
 * What a rule needs and the records lack is not found; a log over training has no outputs, for instance. Weights are
 * signals of health, not explanations (Jain and Wallace 2019; Wiegreffe and Pinter 2019).
 * Errors: StateError for records without a head.
 *
 * @example
 * const findings = diagnose({ heads: parseAttentionLog(text).entries });
 */
export function diagnose(records: DoctorRecords, options: DiagnoseOptions = {}): Finding[] {
  if (records.heads.length === 0)
    throw new StateError('diagnose: expected records of at least one head, got none; was attention captured?');
  const { against, rules = allRules, pictureOf } = options;
  return rules
    .flatMap((rule) => rule.find(records, against).map((sighting) => findingOf(rule, sighting, pictureOf)))
    .sort((a, b) => rankOf(b.severity) - rankOf(a.severity));
}

/** Whether a finding is at least as bad as `severity`. */
export function isAtLeast(finding: Pick<Finding, 'severity'>, severity: Severity): boolean {
  return rankOf(finding.severity) >= rankOf(severity);
}

function findingOf(
  { name, source, cause, remedy }: Rule,
  { threshold, ...where }: Sighting,
  pictureOf: DiagnoseOptions['pictureOf'],
): Finding {
  const { severity, value, origin } = threshold;
  const picture = pictureOf?.(where);
  return {
    rule: name,
    severity,
    ...where,
    threshold: value,
    origin,
    source,
    cause,
    remedy,
    ...(picture && { picture }),
  };
}
