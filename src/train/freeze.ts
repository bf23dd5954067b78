/** Parameters that stay as they are: chosen by module path, and let go of again. Frozen ones cost no gradient. */

import { UsageError } from '../core/errors.js';
import { nearest } from '../metrics/editDistance.js';
import type { Module } from '../nn/module.js';
import { keep } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Freezes every parameter under the given paths, such as `embedding`, `blocks.0` or `blocks.*.attention`.
 *
 * Errors: UsageError for a path under which there is nothing, and when nothing would be left to learn.
 */
export function freeze(model: Module, paths: readonly string[]): void {
  for (const parameter of parametersUnder(model, paths)) {
    parameter.requiresGrad = false;
    keep(parameter);
  }
  if ([...model.parameters().values()].some(({ requiresGrad }) => requiresGrad)) return;
  throw new UsageError(`freeze: expected some parameters to be left, got all of them under ${paths.join(', ')}`);
}

/** Lets the parameters under these paths learn again. Errors: UsageError for a path under which there is nothing. */
export function unfreeze(model: Module, paths: readonly string[]): void {
  for (const parameter of parametersUnder(model, paths)) parameter.requiresGrad = true;
}

function parametersUnder(model: Module, paths: readonly string[]): Tensor[] {
  const parameters = [...model.parameters()];
  return paths.flatMap((path) => {
    const found = parameters.filter(([name]) => isUnder(name, path));
    if (found.length > 0) return found.map(([, parameter]) => parameter);
    const known = [...model.modules().keys()].filter((known) => known !== '');
    throw new UsageError(`freeze: expected the path of a module, got ${path}; did you mean ${nearest(path, known)}?`);
  });
}

/** True when `name` is `path` or lies below it; `*` stands for any one part. */
function isUnder(name: string, path: string): boolean {
  const [parts, wanted] = [name.split('.'), path.split('.')];
  return wanted.length <= parts.length && wanted.every((part, index) => part === '*' || part === parts[index]);
}
