/**
 * What the attention doctor found, as a plain record: made by `monitor`, shown by `viz` and the command line. How findings
 * come about: ../monitor/doctor/diagnose.ts.
 */

/** From harmless to fatal. A note marks what is normal but worth knowing. */
export const severities = ['note', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** Where something was found, as far as a picture must know it to pin the finding. */
export interface FindingPlace {
  /** Module path of an attention layer (`blocks.0.attention`) or of a block (`blocks.0`); '' for the whole model. */
  readonly path: string;
  /** Absent when it is about all heads of the layer, or about the output of a block. */
  readonly head?: number;
  /** Finished optimiser steps. */
  readonly step: number;
}

/** What a rule found, with everything that a reader needs to act. */
export interface Finding extends FindingPlace {
  readonly rule: string;
  readonly severity: Severity;
  readonly measured: number;
  /** The limit that was passed, and who set it. */
  readonly threshold: number;
  readonly origin: 'published' | 'our default';
  /** The numbers behind it, in words. */
  readonly evidence: string;
  /** Paper, or `our default`. */
  readonly source: string;
  readonly cause: string;
  readonly remedy: string;
  /** Where a picture of it is, or the command that draws it. */
  readonly picture?: string;
}

/** A place in words: `blocks.0.attention head 2`, `blocks.0`, `the model`. */
export function placeText({ path, head }: Pick<FindingPlace, 'path' | 'head'>): string {
  return `${path || 'the model'}${head === undefined ? '' : ` head ${head}`}`;
}
