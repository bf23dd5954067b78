/** A trained run as a task that answers: its configuration, its vocabularies, and its best weights. */

import { UsageError } from '../core/errors.js';
import { nearest } from '../metrics/editDistance.js';
import { loadTensors } from '../train/parameters.js';
import type { Run } from '../train/run.js';
import { resolveConfig } from './config.js';
import { findTask } from './registry.js';
import type { Config, OpenTask, Task } from './task.js';

export interface OpenedRun {
  readonly task: Task;
  readonly open: OpenTask;
  /** The run's configuration with the overrides. */
  readonly config: Config;
  /** Update whose weights these are. */
  readonly step: number;
  /** Damaged checkpoints that were passed over. */
  readonly notices: readonly string[];
}

export interface OpenRunOptions {
  /** Also load the held-out examples that figures need. */
  readonly data?: boolean;
  /** `key=value` texts for keys that only shape the answer. */
  readonly set?: readonly string[];
  /** Which weights. Default the best. */
  readonly checkpoint?: 'best' | 'last' | number;
}

/**
 * Opens a run's best checkpoint, or another.
 *
 * Errors: StateError for a run without a checkpoint, FormatError for a damaged one, UsageError for a key that would make
 * it another model.
 */
export async function openRunTask(
  run: Run,
  { data, set = [], checkpoint: which = 'best' }: OpenRunOptions = {},
): Promise<OpenedRun> {
  const { task: name, configuration, vocabularies } = run.record;
  const task = findTask(name);
  for (const override of set) requireAnswerKey(task, override);
  const config = resolveConfig(name, task.schema, configuration, set);
  const { checkpoint, notices } = run.checkpoints.load(which);
  const open = data ? await task.open(config, vocabularies) : task.reopen(config, vocabularies);
  loadTensors(open.model.parameters(), checkpoint.model);
  return { task, open, config, step: checkpoint.step, notices };
}

function requireAnswerKey({ name, answerKeys }: Task, override: string): void {
  const [key = ''] = override.split('=');
  if (answerKeys.includes(key)) return;
  throw new UsageError(
    `--set: expected one of ${answerKeys.join(', ')} for answers of ${name}, got ${key}; did you mean ${nearest(key, answerKeys)}?`,
  );
}
