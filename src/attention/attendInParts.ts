/**
 * Attention over a cache whose memory is not in one piece: one call a piece, put together by `lse`. attention.ts comes
 * here for a paged cache, when the call has nothing that would have to be cut to the pieces. Next: mergeParts.ts.
 */

import { concat } from '../tensor/join.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { slice } from '../tensor/views.js';
import type { HeldPart } from './attentionCache.js';
import type { Mask } from './mask.js';
import { mergeParts, type PartialAttention } from './mergeParts.js';
import type { AttentionOptions } from './options.js';

const simple = new Set(['scale', 'softcap', 'mask', 'cache']);

/** Whether the options mean the same for a part of the keys, with the offset of that part. */
export function fitsParts(options: AttentionOptions): boolean {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return given.every(([name]) => simple.has(name)) && (options.mask === undefined || isWindow(options.mask));
}

/** Nothing but a window around the diagonal. */
function isWindow(mask: Mask): boolean {
  return Object.entries(mask).every(([name, value]) => name === 'left' || name === 'right' || value === undefined);
}

/** `call` attends with one sequence's queries to one part. */
export function attendInParts(
  q: Tensor,
  parts: readonly HeldPart[],
  call: (q: Tensor, part: HeldPart) => PartialAttention,
): PartialAttention {
  return scope(() => {
    const rows = Array.from({ length: q.shape[0] as number }, (_, row) => {
      const query = slice(q, 0, row, row + 1);
      return mergeParts(parts.filter((part) => part.row === row).map((part) => call(query, part)));
    });
    const joined = (pick: (row: PartialAttention) => Tensor): Tensor =>
      rows.length === 1 ? pick(rows[0] as PartialAttention) : concat(rows.map(pick), 0);
    return { out: joined(({ out }) => out), lse: joined(({ lse }) => lse) };
  });
}
