/** What `keyhole train --help` says of tasks: all of them in a line each, or every key of the one that was named. */

import { describeKeys } from '../tasks/config.js';
import { tasks } from '../tasks/registry.js';
import type { Task } from '../tasks/task.js';

export function keysText(name: string | undefined): string {
  const task = name !== undefined && Object.hasOwn(tasks, name) ? tasks[name] : undefined;
  return `\n${task ? keysOf(task) : tasksText()}`;
}

function tasksText(): string {
  const lines = Object.values(tasks).map(
    ({ name, summary, presets }) => `  ${name.padEnd(10)} ${summary}; presets: ${Object.keys(presets).join(', ')}`,
  );
  return ['Tasks (keyhole train <task> --help lists the keys of one):', ...lines].join('\n');
}

function keysOf({ name, summary, presets, schema }: Task): string {
  const keys = describeKeys(schema).map(({ name: key, values, fallback, meaning }) => {
    const without = fallback === undefined ? 'from the preset' : `default ${JSON.stringify(fallback)}`;
    return `  ${key.padEnd(16)} ${meaning} (${values}; ${without})`;
  });
  return [`${name}: ${summary}. Presets: ${Object.keys(presets).join(', ')}. Keys:`, ...keys].join('\n');
}
