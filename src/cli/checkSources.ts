/** Where the doctor's records come from: the log of a run. */

import { UsageError } from '../core/errors.js';
import type { DoctorRecords } from '../monitor/doctor/records.js';
import { openRun, type Run } from '../train/run.js';
import type { CheckFlags } from './check.js';
import type { Output } from './output.js';
import { shownPath } from './paths.js';
import { RunLogs } from './runLogs.js';

export async function recordsOf(run: Run, _flags: CheckFlags, _output: Output): Promise<DoctorRecords> {
  return logOf(run);
}

export async function againstOf(_run: Run, other: string, flags: CheckFlags, output: Output): Promise<DoctorRecords> {
  return recordsOf(openRun(other), flags, output);
}

/** What the run logged over training. Errors: UsageError for a run without attention data. */
function logOf(run: Run): DoctorRecords {
  const logs = new RunLogs(run);
  const heads = logs.attentionEntries();
  if (heads.length === 0) {
    throw new UsageError(
      `check: expected attention data in ${shownPath(run.folder)}/attention.jsonl, got none; it is logged at every evaluation of a training, or add --split to look at a checkpoint`,
    );
  }
  const norms = logs.metrics().filter(({ name }) => name === 'train/gradientNorm');
  return { heads, gradientNorms: norms.map(({ step, value }) => ({ step, value })) };
}
