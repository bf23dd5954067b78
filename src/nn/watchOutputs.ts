/** Seeing what every module of a model gives, without the modules knowing. For attention itself: capture.ts. */

import type { Module } from './module.js';

/** Calls `look` with the path and output of every module's `forward`, in order of execution, while `run` runs. */
export function watchOutputs<Result>(
  model: Module,
  look: (path: string, output: unknown) => void,
  run: () => Result,
): Result {
  const watched = [...model.modules()].filter(([, module]) => typeof Reflect.get(module, 'forward') === 'function');
  for (const [path, module] of watched) watch(module, (output) => look(path, output));
  try {
    return run();
  } finally {
    for (const [, module] of watched) Reflect.deleteProperty(module, 'forward');
  }
}

/** Covers a module's `forward` with one of its own that also shows the result to `look`. */
function watch(module: Module, look: (output: unknown) => void): void {
  const forward: (...inputs: unknown[]) => unknown = Reflect.get(module, 'forward');
  const value = (...inputs: unknown[]): unknown => {
    const output = forward.apply(module, inputs);
    look(output);
    return output;
  };
  Object.defineProperty(module, 'forward', { value, configurable: true });
}
