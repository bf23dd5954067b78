/** Which head is meant by `--layer` and `--head`, in any model. Its vectors: ../nn/captureVectors.ts. */

import { UsageError } from '../core/errors.js';
import type { Module } from '../nn/module.js';
import { MultiHeadAttention } from '../nn/multiHeadAttention.js';

/** A head as a person names it: a module path or the number of a block, and a number. */
export interface HeadChoice {
  readonly layer?: string | undefined;
  readonly head?: string | undefined;
}

/** The head that is chosen; the first layer's and the first head where nothing is said. Errors: UsageError. */
export function chosenHead(model: Module, { layer, head = '0' }: HeadChoice): { path: string; head: number } {
  const modules = [...model.modules()].flatMap(([path, module]) =>
    module instanceof MultiHeadAttention ? [{ path, heads: module.heads }] : [],
  );
  const found = modules.find(({ path }) => layer === undefined || path === layer || path.includes(`.${layer}.`));
  if (!found) {
    const paths = modules.map(({ path }) => path).join(', ');
    throw new UsageError(`inspect: expected --layer to be a number or one of ${paths}, got ${layer}`);
  }
  if (/^\d+$/.test(head) && Number(head) < found.heads) return { path: found.path, head: Number(head) };
  throw new UsageError(`inspect: expected --head to be a number from 0 to ${found.heads - 1}, got ${head}`);
}
