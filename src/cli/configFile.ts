/** Configurations in files: YAML or JSON, or the run.json of an earlier run, whose configuration is taken. */

import { parse } from 'yaml';
import { UsageError } from '../core/errors.js';
import type { Task } from '../tasks/task.js';
import { hostFiles } from '../train/files.js';
import { parseRecord } from '../train/runRecord.js';

/** The keys in a file. Errors: UsageError for a file that is missing, unreadable, or of another task. */
export function readConfigFile(task: Task, path: string): Readonly<Record<string, unknown>> {
  if (!hostFiles.exists(path)) throw new UsageError(`--config: expected a YAML or JSON file, got nothing at ${path}`);
  const value = parsed(path);
  if (!isKeys(value)) throw new UsageError(`--config: expected key: value lines in ${path}, got ${describe(value)}`);
  return 'configuration' in value ? configurationOf(task, path) : value;
}

function parsed(path: string): unknown {
  try {
    return parse(hostFiles.readText(path));
  } catch (error) {
    const [reason] = String(error instanceof Error ? error.message : error).split('\n');
    throw new UsageError(`--config: expected YAML or JSON in ${path}, got what cannot be read: ${reason}`);
  }
}

function configurationOf({ name }: Task, path: string): Readonly<Record<string, unknown>> {
  const { task, configuration } = parseRecord(hostFiles.readBytes(path), path);
  if (task === name) return configuration;
  throw new UsageError(`--config: expected a run of ${name} in ${path}, got one of ${task}`);
}

function isKeys(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  return value === null ? 'nothing' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
