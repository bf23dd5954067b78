/** How findings of the attention doctor are shown to people, the worst first. */

import { bold, dim, red, yellow } from 'ansis';
import { type Finding, type FindingPlace, placeText, type Severity, severities } from '../core/finding.js';
import type { DoctorRecords } from '../monitor/doctor/records.js';
import { visibleText } from '../viz/visibleText.js';
import type { Output } from './output.js';

const colours: Readonly<Record<Severity, (text: string) => string>> = {
  note: dim,
  warning: yellow,
  error: red,
  critical: red,
};

/** All findings, those of one rule and severity under one heading with its cause and remedy. */
export function showFindings(output: Output, findings: readonly Finding[], { heads }: DoctorRecords): void {
  const steps = new Set(heads.map(({ step }) => step));
  const names = new Set(heads.map(({ path, head }) => `${path}/${head}`));

  for (const group of groupsOf(findings).values()) showGroup(output, group);
  output.line(`${names.size} heads at ${steps.size} ${steps.size === 1 ? 'step' : 'steps'}: ${countsOf(findings)}`);
  output.line(dim('Weights are signals of health, not explanations.'));
}

function groupsOf(findings: readonly Finding[]): ReadonlyMap<string, readonly Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.rule} ${finding.threshold}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return groups;
}

function showGroup(output: Output, group: readonly Finding[]): void {
  const [first] = group;
  if (!first) return;
  const { severity, rule, threshold, origin, source, cause, remedy } = first;
  output.line(`${colours[severity](severity)} ${bold(rule)}  threshold ${threshold}, ${origin} (${source})`);
  for (const finding of group) {
    const { step, measured, evidence, picture } = finding;
    output.line(
      `  ${visibleText(placeText(finding))}, step ${step}: ${measured.toPrecision(4)}; ${visibleText(evidence)}`,
    );
    if (picture) output.line(dim(`    ${picture}`));
  }
  output.line(`  cause:  ${cause}`);
  output.line(`  remedy: ${remedy}`);
  output.line();
}

/** `2 errors, 1 note`, or `no findings`. */
export function countsOf(findings: readonly Finding[]): string {
  const counts = [...severities].reverse().flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length;
    if (count === 0) return [];
    return [`${count} ${severity}${count === 1 || severity === 'critical' ? '' : 's'}`];
  });
  return counts.join(', ') || 'no findings';
}

/** The command that draws a head, for a run. Blocks and whole models have no picture. */
export function pictureCommand(run: string): (where: Pick<FindingPlace, 'path' | 'head'>) => string | undefined {
  return ({ path, head }) =>
    head === undefined ? undefined : `keyhole inspect ${run} --text … --layer ${path} --head ${head} --out head.html`;
}
