/**
 * Taking heads out of a model: everything that makes a head is set to 0, so the model computes exactly what it would
 * without that head. It does not become smaller or faster. Which ones to take: headImportance.ts.
 */

import { StateError } from '../core/errors.js';
import type { Module } from '../nn/module.js';
import { MultiHeadAttention } from '../nn/multiHeadAttention.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Removes one head: its columns of the output projection and its rows of the query projection become 0. Keys and values
 * stay, because grouped heads share them.
 *
 * Errors: StateError for a path that is no attention module, or a head that it does not have.
 */
export function pruneHead(model: Module, path: string, head: number): void {
  const module = model.modules().get(path);
  if (!(module instanceof MultiHeadAttention)) {
    const known = [...model.modules()].filter(([, other]) => other instanceof MultiHeadAttention).map(([name]) => name);
    throw new StateError(`pruneHead: expected one of ${known.join(', ')}, got ${path}`);
  }
  const { heads } = module;
  if (!Number.isInteger(head) || head < 0 || head >= heads)
    throw new StateError(`pruneHead: expected a head of ${path} in [0, ${heads}), got ${head}`);
  const [, width] = module.out.weight.shape as [number, number]; // [E, H·D]
  const D = width / heads;
  const isOfHead = (feature: number): boolean => Math.floor(feature / D) === head;
  clearWhere(module.out.weight, (at) => isOfHead(at % width));
  clearWhere(module.q.weight, (at) => isOfHead(Math.floor(at / (module.q.weight.shape[1] as number))));
  if (module.q.bias) clearWhere(module.q.bias, isOfHead);
}

function clearWhere(parameter: Tensor, chosen: (at: number) => boolean): void {
  parameter.write(Float32Array.from(parameter.toArray(), (value, at) => (chosen(at) ? 0 : value)));
}
