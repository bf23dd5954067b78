/** A trained run as a task that answers: its configuration, its vocabularies, and its best weights. */

import { loadTensors } from '../train/parameters.js';
import type { Run } from '../train/run.js';
import { findTask } from './registry.js';
import type { OpenTask, Task } from './task.js';

export interface OpenedRun {
  readonly task: Task;
  readonly open: OpenTask;
  /** Update whose weights these are. */
  readonly step: number;
  /** Damaged checkpoints that were passed over. */
  readonly notices: readonly string[];
}

/**
 * Opens a run's best checkpoint; with `data`, also the held-out examples that its figures need.
 *
 * Errors: StateError for a run without a checkpoint, FormatError for a damaged one.
 */
export async function openRunTask(run: Run, options: { readonly data?: boolean } = {}): Promise<OpenedRun> {
  const { task: name, configuration, vocabularies } = run.record;
  const task = findTask(name);
  const { checkpoint, notices } = run.checkpoints.load('best');
  const open = options.data ? await task.open(configuration) : task.reopen(configuration, vocabularies);
  loadTensors(open.model.parameters(), checkpoint.model);
  return { task, open, step: checkpoint.step, notices };
}
