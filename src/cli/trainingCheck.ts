/** The attention doctor inside training, `--check warn|stop`: says what is new at every evaluation, and may end the run. */

import { StateError } from '../core/errors.js';
import { type Finding, placeText, type Severity } from '../core/finding.js';
import type { CapturedAttention } from '../core/records.js';
import type { AttentionEntry } from '../monitor/attentionLog.js';
import { summariseAttention } from '../monitor/attentionSummary.js';
import { diagnose, isAtLeast } from '../monitor/doctor/diagnose.js';
import { rules } from '../monitor/doctor/rules.js';

export type CheckMode = 'warn' | 'stop';

/** Rules that may end a training: what they find cannot get better by going on. */
const stopping = new Set(rules.filter(({ stops }) => stops).map(({ name }) => name));

/** Keeps what was seen, so that growth and sudden falls are found, and says everything once. */
export class TrainingCheck {
  readonly #mode: CheckMode;
  readonly #say: (line: string) => void;
  readonly #heads: AttentionEntry[] = [];
  readonly #gradientNorms: { readonly step: number; readonly value: number }[] = [];
  readonly #said = new Set<string>();

  constructor(mode: CheckMode, say: (line: string) => void) {
    this.#mode = mode;
    this.#say = say;
  }

  /** What a resumed run had logged before. */
  remember(entries: readonly AttentionEntry[]): void {
    this.#heads.push(...entries);
  }

  gradientNorm(step: number, value: number): void {
    this.#gradientNorms.push({ step, value });
  }

  /** Errors: StateError when `stop` is wanted and a leak, NaN or too large a logit is found at severity error. */
  after(step: number, captured: readonly CapturedAttention[]): void {
    this.#heads.push(...summariseAttention(captured).map((summary) => ({ ...summary, step })));
    const findings = diagnose({ heads: this.#heads, gradientNorms: this.#gradientNorms });
    for (const finding of findings) this.#tell(finding);
    const worst = findings.find((finding) => stopping.has(finding.rule) && isAtLeast(finding, 'error'));
    if (worst && this.#mode === 'stop') throw stopError(worst);
  }

  #tell(finding: Finding): void {
    const key = `${finding.rule} ${finding.path} ${finding.head} ${finding.severity}`;
    if (this.#said.has(key) || !isAtLeast(finding, 'warning' satisfies Severity)) return;
    this.#said.add(key);
    this.#say(`check: ${finding.severity} ${sentenceOf(finding)}`);
  }
}

function sentenceOf(finding: Finding): string {
  const { rule, step, measured, threshold, evidence } = finding;
  return `${rule} in ${placeText(finding)} at step ${step}: ${measured.toPrecision(4)}, threshold ${threshold}; ${evidence}`;
}

function stopError(finding: Finding): StateError {
  return new StateError(`train: stopped by --check stop: ${sentenceOf(finding)}; ${finding.remedy}`, {
    rule: finding.rule,
    step: finding.step,
  });
}
