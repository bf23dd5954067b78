/**
 * Byte-level byte-pair encoding (GPT-2): text in pieces of words, any text at all, back to the same bytes. Stored as a
 * `tokenizer.json` that Hugging Face's libraries read. How merges are learned: trainMerges.ts.
 */

import { FormatError, UsageError } from '../core/errors.js';
import { byteCharacters, bytesOfToken, startsIn, textToByteCharacters } from './bytes.js';
import { Heap } from './heap.js';
import { IdBuffer } from './idBuffer.js';
import type { TextTokenizer } from './textTokenizer.js';
import { pairKey, trainMerges } from './trainMerges.js';

/** Words with the space before them, numbers, other signs, white space (GPT-2's pattern, with Rust's idea of space). */
const pattern =
  /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Pieces of words as `tokenizer.json` has them: ids by token, and merges in the order of their rank. */
export interface BpeModel {
  readonly type: 'BPE';
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (readonly [string, string])[];
}

/** Words longer than this in characters are cut for learning, so that a text without a space costs no more than another. */
const longestWord = 256;
/** Words longer than this in characters are cut for encoding too, to bound time; Hugging Face does not cut them. */
const longestEncoded = 1024;
/** Characters of a text that are learned from: more change little, and cost time. */
const longestText = 20_000_000;
/** Words whose pieces are remembered. */
const cacheSize = 20_000;

export class ByteLevelBpe implements TextTokenizer {
  readonly #tokens: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #merges: readonly (readonly [string, string])[];
  /** Rank and result of a merge by the key of its pair. */
  readonly #ranks: ReadonlyMap<number, Merge>;
  readonly #cache = new Map<string, readonly number[]>();

  /** Errors: FormatError when a merge makes or takes what is no token, or a byte has none. */
  constructor(tokens: readonly string[], merges: readonly (readonly [string, string])[]) {
    this.#tokens = tokens;
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
    this.#merges = merges;
    for (const character of byteCharacters) this.#idOf(character);
    this.#ranks = new Map(
      merges.map(([left, right], rank) => [
        pairKey(this.#idOf(left), this.#idOf(right)),
        { rank, id: this.#idOf(left + right) },
      ]),
    );
  }

  /**
   * Learns `size` tokens from a text: 256 bytes and the most useful merges; fewer when nothing occurs twice any more.
   *
   * Errors: UsageError for a size below 256.
   */
  static train(text: string, size: number): ByteLevelBpe {
    if (size < 256) throw new UsageError(`ByteLevelBpe.train: expected a size of at least 256 bytes, got ${size}`);
    const words = new Map<readonly string[], number>();
    for (const [word, count] of countWords(text.slice(0, longestText))) {
      for (const part of cut(word, longestWord)) words.set(textToByteCharacters(part), count);
    }
    const alphabet = [...byteCharacters].sort((a, b) => (a < b ? -1 : 1));
    const { tokens, merges } = trainMerges(words, { tokens: alphabet, size, join: (left, right) => left + right });
    return new ByteLevelBpe(tokens, merges);
  }

  get size(): number {
    return this.#tokens.length;
  }

  encode(text: string): Uint32Array {
    const ids = new IdBuffer();
    for (const [word] of text.matchAll(pattern)) {
      for (const part of cut(word, longestEncoded)) for (const id of this.#pieces(part)) ids.push(id);
    }
    return ids.take();
  }

  decode(ids: ArrayLike<number>): string {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return Array.from(ids, (id) => decoder.decode(this.#bytes(id), { stream: true })).join('') + decoder.decode();
  }

  symbol(id: number): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.#bytes(id));
  }

  characters(id: number): number {
    return startsIn(this.#bytes(id));
  }

  decoder(): (id: number) => string {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    return (id) => decoder.decode(this.#bytes(id), { stream: true });
  }

  /** The content of `tokenizer.json`. */
  toJSON(): object {
    const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
    const vocab = Object.fromEntries(this.#tokens.map((token, id) => [token, id]));
    return {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: byteLevel,
      post_processor: null,
      decoder: byteLevel,
      model: {
        ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
        ...{ fuse_unk: false, byte_fallback: false, ignore_merges: false },
        ...{ vocab, merges: this.#merges },
      } satisfies BpeModel & object,
    };
  }

  #pieces(word: string): readonly number[] {
    const known = this.#cache.get(word);
    if (known !== undefined) return known;
    const pieces = this.#merge(textToByteCharacters(word).map((character) => this.#idOf(character)));
    if (this.#cache.size >= cacheSize) this.#cache.clear();
    if (word.length <= longestWord) this.#cache.set(word, pieces);
    return pieces;
  }

  /** Merges neighbours, lowest rank first, the leftmost of equals; a heap, because words may be very long. */
  #merge(symbols: number[]): readonly number[] {
    const next = symbols.map((_, at) => at + 1);
    const previous = symbols.map((_, at) => at - 1);
    const heap = new Heap<number>((a, b) => a < b); // rank and place in one number, which is all that orders them
    const mergeAt = (at: number): Merge | undefined => {
      const after = next[at] as number;
      if (after >= symbols.length) return undefined;
      return this.#ranks.get(pairKey(symbols[at] as number, symbols[after] as number));
    };
    const offer = (at: number): void => {
      const found = mergeAt(at);
      if (found) heap.push(found.rank * symbols.length + at);
    };
    for (const at of symbols.keys()) offer(at);
    for (let best = heap.pop(); best !== undefined; best = heap.pop()) {
      const at = best % symbols.length;
      const found = mergeAt(at);
      if (found?.rank !== (best - at) / symbols.length) continue; // one of the two has been merged since
      const after = next[at] as number;
      const beyond = next[after] as number;
      symbols[at] = found.id;
      symbols[after] = -1;
      next[at] = beyond;
      if (beyond < symbols.length) previous[beyond] = at;
      if (at > 0) offer(previous[at] as number);
      offer(at);
    }
    return symbols.filter((symbol) => symbol >= 0);
  }

  #bytes(id: number): Uint8Array {
    const token = this.#tokens[id];
    if (token !== undefined) return bytesOfToken(token);
    throw new FormatError(`ByteLevelBpe: expected an id in [0, V = ${this.size}), got ${id}`);
  }

  #idOf(token: string): number {
    const id = this.#ids.get(token);
    if (id !== undefined) return id;
    throw new FormatError(`ByteLevelBpe: expected a token ${JSON.stringify(token)} in the vocabulary, got none`);
  }
}

interface Merge {
  readonly rank: number;
  /** The token that the pair becomes. */
  readonly id: number;
}

function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.matchAll(pattern)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

/** The word in parts of at most `length` code units, no character in two. */
function* cut(word: string, length: number): Generator<string> {
  for (let at = 0; at < word.length; ) {
    const end = at + length;
    const whole = (word.codePointAt(end - 1) ?? 0) > 0xffff ? end + 1 : end;
    yield word.slice(at, whole);
    at = whole;
  }
}
