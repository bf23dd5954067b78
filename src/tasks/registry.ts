/** The tasks there are. A new one is a file in this folder and a line here. */

import { UsageError } from '../core/errors.js';
import { nearest } from '../metrics/editDistance.js';
import { csv } from './csv.js';
import { g2p } from './g2p.js';
import { novel } from './novel.js';
import { spam } from './spam.js';
import { stories } from './stories.js';
import { subjects } from './subjects.js';
import type { Task } from './task.js';
import { translate } from './translate.js';

export const tasks: Readonly<Record<string, Task>> = { g2p, novel, stories, spam, csv, translate, subjects };

/** The task of that name. Errors: UsageError naming the nearest one. */
export function findTask(name: string): Task {
  const task = Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  if (task) return task;
  const known = Object.keys(tasks);
  throw new UsageError(`expected a task of ${known.join(', ')}, got ${name}; did you mean ${nearest(name, known)}?`);
}

/** A preset of a task. Errors: UsageError naming those there are. */
export function findPreset(task: Task, name: string): Task['presets'][string] {
  const preset = Object.hasOwn(task.presets, name) ? task.presets[name] : undefined;
  if (preset) return preset;
  throw new UsageError(`expected a preset of ${Object.keys(task.presets).join(', ')} for ${task.name}, got ${name}`);
}
