/** What eval, run and inspect begin with: a backend, and the trained model of a run. */

import type { BackendInfo } from '../backend/contract.js';
import { loadBackend } from '../backend/registry.js';
import { type OpenedRun, type OpenRunOptions, openRunTask } from '../tasks/openRun.js';
import type { Config } from '../tasks/task.js';
import { setBackend } from '../tensor/create.js';
import { openRun, type Run } from '../train/run.js';
import type { Output } from './output.js';

export interface OpenedModel extends OpenedRun {
  readonly run: Run;
  readonly backend: BackendInfo;
}

/** Opens the run's best weights; with `data`, also its data; with `set`, under other keys of the answer. */
export async function openModel(path: string, output: Output, options: OpenRunOptions = {}): Promise<OpenedModel> {
  const run = openRun(path);
  const backend = await loadBackend();
  setBackend(backend);
  const opened = await openRunTask(run, options);
  for (const notice of opened.notices) output.line(`note: ${notice}`);
  return { ...opened, run, backend: backend.info };
}

/** Hypotheses kept while decoding, as the run's configuration has it. */
export function beamsOf({ configuration }: { readonly configuration: Config }): number {
  return Number(configuration.beams ?? 1);
}
