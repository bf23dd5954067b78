/**
 * Where the doctor's records come from: the log of a run, a checkpoint run over data, and what `--against` names. What
 * is looked at: ../tasks/examine.ts.
 */

import { UsageError } from '../core/errors.js';
import type { Split } from '../data/split.js';
import { examinedRecords } from '../monitor/doctor/examined.js';
import type { DoctorRecords } from '../monitor/doctor/records.js';
import { type HeadRoleRecord, headRolesOf } from '../monitor/doctor/roles.js';
import { examine } from '../tasks/examine.js';
import { openRun, type Run } from '../train/run.js';
import { type OpenedModel, openModel } from './openModel.js';
import type { Output } from './output.js';
import { shownPath } from './paths.js';
import { RunLogs } from './runLogs.js';

/** What of a run is looked at: with a split or a checkpoint, weights run over data beside the log. */
export interface CheckedPart {
  readonly split?: Split | undefined;
  readonly checkpoint?: string | undefined;
}

/** Held-out examples that a checkpoint is run over: enough for histograms of rows and of examples. */
const examples = 256;

/** The log of a run, and after it a checkpoint on data where one is asked for. */
export async function recordsOf(run: Run, part: CheckedPart, output: Output): Promise<DoctorRecords> {
  if (!wantsData(part)) return logOf(run);
  const log = readLog(run);
  const found = await examined(run, part, output);
  // What the log says of the same heads at later steps is not what these weights do.
  const step = found.heads[0]?.step ?? 0;
  const before = log.heads.filter((head) => head.step < step);
  return { ...found, ...log, heads: [...before, ...found.heads] };
}

/**
 * The other side of a comparison: a run, or a checkpoint or split of the same run.
 *
 * Errors: UsageError for what is none of these.
 */
export async function againstOf(run: Run, other: string, part: CheckedPart, output: Output): Promise<DoctorRecords> {
  if (isSplit(other)) return examined(run, { ...part, split: other }, output);
  if (isCheckpoint(other)) return examined(run, { ...part, checkpoint: other }, output);
  const another = openRun(other);
  return wantsData(part) ? examined(another, { split: part.split }, output) : logOf(another);
}

/** A split or checkpoint as the other side needs weights run over data on this side too. */
export function withData(part: CheckedPart, against: string | undefined): CheckedPart {
  const inside = against !== undefined && (isSplit(against) || isCheckpoint(against));
  return inside && !wantsData(part) ? { ...part, checkpoint: 'best' } : part;
}

function wantsData({ split, checkpoint }: CheckedPart): boolean {
  return split !== undefined || checkpoint !== undefined;
}

function isSplit(name: string): name is Split {
  return name === 'train' || name === 'validation' || name === 'test';
}

function isCheckpoint(name: string): boolean {
  return /^(best|last|step-\d+)$/.test(name);
}

/** What heads do, from the same weights over the same data, and from random texts written twice where the task has them. */
export async function rolesOf(run: Run, part: CheckedPart, output: Output): Promise<HeadRoleRecord[]> {
  const { open } = await opened(run, part, output);
  const { captured } = examine(open.model, open.probes(splitOf(part), examples), { delimiters: true });
  const repeats = open.repeats?.();
  if (!repeats) return headRolesOf(captured);
  const { captured: twice } = examine(open.model, [repeats.probe], { weights: true });
  return headRolesOf(captured, { captured: twice, period: repeats.period });
}

async function examined(run: Run, part: CheckedPart, output: Output): Promise<DoctorRecords> {
  const { open, step } = await opened(run, part, output);
  return examinedRecords(examine(open.model, open.probes(splitOf(part), examples), { outputs: true }), step);
}

function opened(run: Run, { checkpoint = 'best' }: CheckedPart, output: Output): Promise<OpenedModel> {
  return openModel(run.folder, output, { data: true, checkpoint: checkpointOf(checkpoint) });
}

function splitOf({ split = 'validation' }: CheckedPart): Split {
  return split;
}

function checkpointOf(name: string): 'best' | 'last' | number {
  if (name === 'best' || name === 'last') return name;
  if (isCheckpoint(name)) return Number(name.slice('step-'.length));
  throw new UsageError(`check: expected --checkpoint to be best, last or step-N, got ${name}`);
}

/** What the run logged over training. Errors: UsageError for a run without attention data. */
function logOf(run: Run): DoctorRecords {
  const records = readLog(run);
  if (records.heads.length > 0) return records;
  throw new UsageError(
    `check: expected attention data in ${shownPath(run.folder)}/attention.jsonl, got none; it is logged at every evaluation of a training; --split validation looks at a checkpoint without it`,
  );
}

/** The log of a run as the doctor reads it; without a head where none was logged. */
export function readLog(run: Run): Pick<DoctorRecords, 'heads' | 'gradientNorms'> {
  const logs = new RunLogs(run);
  const norms = logs.metrics().filter(({ name }) => name === 'train/gradientNorm');
  return { heads: logs.attentionEntries(), gradientNorms: norms.map(({ step, value }) => ({ step, value })) };
}
