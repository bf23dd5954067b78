/**
 * Every mask beside its definition, written from its paper as a question about one pair, without blocks or shortcuts; and
 * random compositions of them. What map.test.ts and attention.test.ts compare with.
 */

import fc from 'fast-check';
import { bigBird, blockSparse } from '../../src/attention/blockSparse.js';
import { and, causal, keyPadding, type Mask, slidingWindow } from '../../src/attention/mask.js';
import { not, or } from '../../src/attention/maskAlgebra.js';
import type { MaskSizes } from '../../src/attention/maskPredicate.js';
import { dilated, documents, globalTokens, maskMod, prefixLm, strided } from '../../src/attention/patternMasks.js';

/** Whether the query at position q of the key axis may attend to key k. */
export type Definition = (b: number, h: number, q: number, k: number) => boolean;

export interface Defined {
  readonly name: string;
  readonly mask: Mask;
  readonly allows: Definition;
}

/** A list of document lengths that adds up to `total`. */
function cut(total: number, at: readonly number[]): number[] {
  const ends = [...new Set([0, ...at.map((share) => Math.round(share * total)), total])].sort((x, y) => x - y);
  return ends.slice(1).map((end, n) => end - (ends[n] as number));
}

function documentOf(lengths: readonly number[], position: number): number {
  const ends = lengths.map((_, n) => lengths.slice(0, n + 1).reduce((sum, length) => sum + length, 0));
  return ends.findIndex((end) => position < end);
}

/** One of each kind, with sizes that cross blocks of 64. */
export function leaves({ B, H, L, S, offset }: MaskSizes, seed: number): readonly Defined[] {
  const rest = (n: number): number => (seed % n) + 1;
  const lengths = Array.from({ length: B }, (_, b) => (seed * 7 + b * 31) % (S + 1));
  const rows = Array.from({ length: B }, (_, b) => cut(S, [((seed + b) % 10) / 10, ((seed * 3 + b) % 7) / 7]));
  const shared = cut(S, [0.2, 0.5, ((seed * 5) % 9) / 9]);
  const [left, right, step, stride, block] = [rest(90), rest(20), rest(5), rest(70), rest(40)];
  const tokens = [0, seed % S, (seed * 11) % S];
  const map = Array.from({ length: H }, (_, h) =>
    Array.from({ length: Math.ceil((offset + L) / block) }, (_, row) =>
      Array.from({ length: Math.ceil(S / block) }, (_, column) => (row * 5 + column * 3 + h + seed) % 4 === 0),
    ),
  );
  const drawn = bigBird({ block, window: 3, global: 1, random: 2, seed });
  const birds = drawn.predicate?.bind({ B, H, L, S, offset });
  const modular: Definition = (b, h, q, k) => (q * 3 + k * 5 + h + b) % 7 < 3;
  return [
    { name: 'causal', mask: causal(), allows: (_b, _h, q, k) => k <= q },
    {
      name: `window ${left} ${right}`,
      mask: slidingWindow({ left, right }),
      allows: (_b, _h, q, k) => q - left <= k && k <= q + right,
    },
    { name: `padding ${lengths}`, mask: keyPadding(lengths), allows: (b, _h, _q, k) => k < (lengths[b] as number) },
    {
      name: `dilated ${step} ${left}`,
      mask: dilated({ step, left }),
      allows: (_b, _h, q, k) => k >= q - left && (q - k) % step === 0,
    },
    {
      name: `strided ${stride}`,
      mask: strided({ stride }),
      allows: (_b, _h, q, k) => k <= q && (q - k < stride || (q - k) % stride === 0),
    },
    {
      name: `prefix ${lengths}`,
      mask: prefixLm(lengths),
      allows: (b, _h, q, k) => k <= q || k < (lengths[b] as number),
    },
    {
      name: `global ${tokens}`,
      mask: globalTokens(tokens),
      allows: (_b, _h, q, k) => tokens.includes(q) || tokens.includes(k),
    },
    {
      name: `documents ${shared}`,
      mask: documents(shared),
      allows: (_b, _h, q, k) => documentOf(shared, q) === documentOf(shared, k),
    },
    {
      name: `documents of each sequence ${rows.join(' | ')}`,
      mask: documents(rows),
      allows: (b, _h, q, k) => documentOf(rows[b] as number[], q) === documentOf(rows[b] as number[], k),
    },
    {
      name: `block-sparse ${block}`,
      mask: blockSparse(map, { block }),
      allows: (_b, h, q, k) => map[h]?.[Math.floor(q / block)]?.[Math.floor(k / block)] === true,
    },
    { name: `BigBird ${block}`, mask: drawn, allows: (...pair) => birds?.allows(...pair) === true },
    { name: 'function', mask: maskMod(modular), allows: modular },
  ];
}

/** A tree of masks: which leaf, or what joins two trees. */
export type Tree = number | readonly ['not', Tree] | readonly ['and' | 'or', Tree, Tree];

export const trees: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: 'small', withCrossShrink: true },
    fc.nat(11),
    fc.tuple(fc.constant('not' as const), tie('tree')),
    fc.tuple(fc.constantFrom('and' as const, 'or' as const), tie('tree'), tie('tree')),
  ),
})).tree;

export function composed(tree: Tree, from: readonly Defined[]): Defined {
  if (typeof tree === 'number') return from[tree] as Defined;
  const [a, b] = tree.slice(1).map((part) => composed(part as Tree, from)) as [Defined, Defined];
  if (tree[0] === 'not') return { name: `not(${a.name})`, mask: not(a.mask), allows: (...pair) => !a.allows(...pair) };
  const name = `${tree[0]}(${a.name}, ${b.name})`;
  return tree[0] === 'and'
    ? { name, mask: and(a.mask, b.mask), allows: (...pair) => a.allows(...pair) && b.allows(...pair) }
    : { name, mask: or(a.mask, b.mask), allows: (...pair) => a.allows(...pair) || b.allows(...pair) };
}
