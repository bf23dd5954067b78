/**
 * Texts that are nearly the same, found without comparing all pairs: what lets a split keep a newsletter and its next
 * issue, or a mail and its copies, on one side. Next: split.ts, which takes the groups as keys.
 */

import { StateError } from '../core/errors.js';
import { hash32 } from '../core/hash.js';

export interface NearDuplicateOptions {
  /** Texts with at least this share of their runs of words in common belong together. Default 0.5. */
  readonly similarity?: number;
  /** Words in a run. Default 4. */
  readonly run?: number;
  /** One key a text: texts with the same key belong together whatever they say. Default none. */
  readonly keys?: readonly string[];
}

/** Smallest hashes kept of a text, in bands of so many: a pair of similarity 0.5 shares one with probability 0.986. */
const [bands, rows] = [32, 3] as const;

/**
 * The group of each text: the number of the first text that belongs to it. Texts are linked when the sets of their runs
 * of words have a Jaccard similarity of `similarity` or more, and groups are everything that is linked, however far.
 *
 * Candidates come from MinHash signatures (Broder 1997) in 32 bands of 3, and each pair of candidates is compared
 * exactly. Pairs well above `similarity` are missed with a probability below 2e-6 (0.7), of just 0.5 with 1.4 %. Time
 * and memory grow with the number of texts, not with its square.
 */
export function nearDuplicates(
  texts: readonly (readonly string[])[],
  { similarity = 0.5, run = 4, keys = [] }: NearDuplicateOptions = {},
): number[] {
  if (!(similarity > 0 && similarity <= 1))
    throw new StateError(`nearDuplicates: expected a similarity in (0, 1], got ${similarity}`);
  const sets = texts.map((words) => runsOf(words, run));
  if (keys.length > texts.length)
    throw new StateError(`nearDuplicates: expected at most one key a text = ${texts.length}, got ${keys.length}`);
  const groups = new Groups(texts.length);
  linkSame(keys, groups);
  const signatures = sets.map(signatureOf);
  for (let band = 0; band < bands; band++) {
    for (const members of buckets(signatures, band).values()) linkSimilar(members, sets, similarity, groups);
  }
  return texts.map((_, index) => groups.of(index));
}

/** Links every text with the first one of the same key. */
function linkSame(keys: readonly string[], groups: Groups): void {
  const first = new Map<string, number>();
  for (const [index, key] of keys.entries()) {
    const known = first.get(key);
    if (known === undefined) first.set(key, index);
    else groups.link(known, index);
  }
}

/** Hashes of every run of words; of a text that is shorter, the hash of all of it. */
function runsOf(words: readonly string[], run: number): Set<number> {
  const count = Math.max(1, words.length - run + 1);
  return new Set(Array.from({ length: count }, (_, at) => hash32(words.slice(at, at + run).join(' '))));
}

/** For each of many scrambled orders of all hashes, the first one of a set. */
function signatureOf(set: ReadonlySet<number>): Uint32Array {
  const first = new Uint32Array(bands * rows).fill(0xffffffff);
  for (const value of set) {
    for (let order = 0; order < first.length; order++) {
      let mixed = Math.imul(value ^ Math.imul(order + 1, 0x9e3779b1), 0x85ebca6b);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35);
      mixed = (mixed ^ (mixed >>> 16)) >>> 0;
      if (mixed < (first[order] as number)) first[order] = mixed;
    }
  }
  return first;
}

/** Texts that agree in all of a band's hashes, where there are several. */
function buckets(signatures: readonly Uint32Array[], band: number): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const [index, signature] of signatures.entries()) {
    const key = signature.subarray(band * rows, (band + 1) * rows).join();
    const members = found.get(key);
    if (members) members.push(index);
    else found.set(key, [index]);
  }
  return found;
}

/** Links each member with the first earlier one, of each group in the bucket, that it resembles. */
function linkSimilar(
  members: readonly number[],
  sets: readonly ReadonlySet<number>[],
  similarity: number,
  groups: Groups,
): void {
  const kept: number[] = [];
  for (const member of members) {
    for (const other of kept) {
      if (groups.of(other) === groups.of(member)) continue;
      if (jaccard(sets[other] as Set<number>, sets[member] as Set<number>) >= similarity) groups.link(other, member);
    }
    kept.push(member);
  }
}

/** Share of the members of either set that both have. */
export function jaccard(a: ReadonlySet<number>, b: ReadonlySet<number>): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let both = 0;
  for (const value of small) if (large.has(value)) both++;
  return both / (a.size + b.size - both);
}

/** Disjoint sets of numbers (Tarjan 1975); a set goes by its smallest member. */
class Groups {
  readonly #parents: number[];

  constructor(count: number) {
    this.#parents = Array.from({ length: count }, (_, index) => index);
  }

  of(member: number): number {
    let root = member;
    while (this.#parents[root] !== root) root = this.#parents[root] as number;
    this.#parents[member] = root;
    return root;
  }

  link(a: number, b: number): void {
    const [first, second] = [this.of(a), this.of(b)];
    this.#parents[Math.max(first, second)] = Math.min(first, second);
  }
}
