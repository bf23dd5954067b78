/**
 * `run.json`: what a run is and how it stands, checked when read. Plain data; the folder around it is run.ts.
 */

import { z } from 'zod';
import { FormatError } from '../core/errors.js';
import { parseStrictJson } from './strictJson.js';
import { validate } from './validate.js';

/** Version of the run folder; raised when an older reader would misunderstand. */
const format = 1;

const schema = z.strictObject({
  format: z.literal(format),
  task: z.string().min(1),
  /** Every key of the task's configuration, defaults included. */
  configuration: z.record(z.string(), z.json()),
  seed: z.int(),
  /** Versions by name: keyhole, node. */
  versions: z.record(z.string(), z.string()),
  backend: z.string(),
  target: z.string(),
  /** Commit of the work tree in which the run was started; null outside of one. */
  gitCommit: z.string().nullable(),
  /** Run whose weights this one started from. */
  from: z.string().optional(),
  /** What the model's ids mean, so that the run can be opened without its data. */
  vocabularies: z.record(z.string(), z.json()),
  /** ISO 8601. */
  startedAt: z.string(),
  status: z.enum(['running', 'finished', 'diverged', 'stopped']),
  /** Why the run is not going on, where that needs words. */
  reason: z.string().optional(),
});

export type RunRecord = Readonly<z.infer<typeof schema>>;
export type RunStatus = RunRecord['status'];

/** What the caller knows when a run begins. */
export type RunDescription = Omit<RunRecord, 'format' | 'gitCommit' | 'startedAt' | 'status' | 'reason'>;

export function newRecord(description: RunDescription, startedAt: string, gitCommit: string | null): RunRecord {
  return { format, ...description, gitCommit, startedAt, status: 'running' };
}

export function encodeRecord(record: RunRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/** Reads `run.json`; throws FormatError when it is damaged or from another version. */
export function parseRecord(bytes: Uint8Array, path: string): RunRecord {
  const value = parseStrictJson(bytes, path);
  const found = typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  if (typeof found === 'number' && found !== format) {
    throw new FormatError(
      `openRun: expected run format ${format}, got ${found} in ${path}; open it with the version of Keyhole that wrote it`,
    );
  }
  return validate(schema, value, path);
}
