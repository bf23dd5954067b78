/**
 * Seeing inside a model: run it once with a sink that keeps what the chosen attention modules did. Modules that are not
 * chosen pay nothing.
 */

import type { RecordOptions } from '../attention/options.js';
import type { Recording } from '../attention/recording.js';
import { StateError } from '../core/errors.js';
import type { AttentionKind, CapturedAttention } from '../core/records.js';
import { type CaptureSink, type Context, inference } from './context.js';
import type { Module } from './module.js';

export interface CaptureOptions {
  /** Module paths to capture, or a test of the path; default all. */
  readonly paths?: readonly string[] | ((path: string) => boolean);
  /** What to record; default the statistics. `rows: 'all'` also keeps every weight, O(L·S). */
  readonly record?: RecordOptions;
}

/**
 * Runs `forward` with a context that captures, and returns what attention did, in order of execution.
 *
 * Errors: StateError for a path that names no module.
 *
 * @example
 * const trace = capture(model, { record: { rows: 'all' } }, (context) => model.forward(inputs, context));
 */
export function capture(
  model: Module,
  options: CaptureOptions,
  forward: (context: Context) => unknown,
): CapturedAttention[] {
  const sink = new Capture(model, options);
  forward(inference(sink));
  return sink.captured;
}

class Capture implements CaptureSink {
  readonly captured: CapturedAttention[] = [];
  readonly #paths = new Map<Module, string>();
  readonly #record: RecordOptions;

  constructor(model: Module, { paths, record = {} }: CaptureOptions) {
    this.#record = record;
    const modules = model.modules();
    if (Array.isArray(paths)) requirePaths(paths, modules);
    const chosen = typeof paths === 'function' ? paths : (path: string) => paths?.includes(path) ?? true;
    for (const [path, module] of modules) if (chosen(path)) this.#paths.set(module, path);
  }

  wants(module: Module): RecordOptions | undefined {
    return this.#paths.has(module) ? this.#record : undefined;
  }

  take(module: Module, kind: AttentionKind, recording: Recording): void {
    const path = this.#paths.get(module);
    if (path !== undefined) this.captured.push({ path, kind, record: recording.read() });
  }
}

function requirePaths(paths: readonly string[], modules: ReadonlyMap<string, Module>): void {
  for (const path of paths) {
    if (!modules.has(path))
      throw new StateError(`capture: expected a module path such as ${[...modules.keys()].at(-1)}, got ${path}`);
  }
}
