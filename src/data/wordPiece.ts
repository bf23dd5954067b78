/**
 * WordPiece (BERT): words in their longest known pieces, from the left; pieces inside a word begin with `##`. Stored as a
 * `tokenizer.json` that Hugging Face's libraries read. How pieces are learned: trainMerges.ts.
 */

import { FormatError, UsageError } from '../core/errors.js';
import { normaliseText, splitWords } from './bertText.js';
import type { TextTokenizer } from './textTokenizer.js';
import { trainMerges } from './trainMerges.js';

const prefix = '##';
/** Special tokens, in the order of their ids, as BERT has them. */
const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'] as const;
const unknown = '[UNK]';
/** Words longer than this in characters are unknown as a whole, as in BERT. */
const longestWord = 100;

export interface WordPieceOptions {
  /** Lower case without accents. Default true. */
  readonly lowercase?: boolean;
}

export class WordPiece implements TextTokenizer {
  readonly #tokens: readonly string[];
  readonly #ids: ReadonlyMap<string, number>;
  readonly #lowercase: boolean;

  /** Errors: FormatError when `[UNK]` is no token. */
  constructor(tokens: readonly string[], { lowercase = true }: WordPieceOptions = {}) {
    this.#tokens = tokens;
    this.#ids = new Map(tokens.map((token, id) => [token, id]));
    this.#lowercase = lowercase;
    if (!this.#ids.has(unknown)) throw new FormatError(`WordPiece: expected a token ${unknown}, got none`);
  }

  /**
   * Learns `size` tokens from a text: five special ones, its characters at the start of and inside words, and pieces of
   * words. Pieces are those of byte-pair encoding, as in Hugging Face's trainer.
   *
   * Errors: UsageError when `size` has no room for the characters.
   */
  static train(text: string, size: number, options: WordPieceOptions = {}): WordPiece {
    const words = countWords(splitWords(normaliseText(text, options.lowercase ?? true)));
    const symbols = [...new Set([...words.keys()].flat())].sort((a, b) => (a < b ? -1 : 1));
    const tokens = [...specials, ...symbols];
    if (size < tokens.length) {
      throw new UsageError(
        `WordPiece.train: expected a size of at least ${tokens.length}, got ${size}; the text has ${symbols.length} characters`,
      );
    }
    const join = (left: string, right: string): string => left + right.slice(prefix.length);
    return new WordPiece(trainMerges(words, { tokens, size, join }).tokens, options);
  }

  get size(): number {
    return this.#tokens.length;
  }

  encode(text: string): Uint32Array {
    return Uint32Array.from(splitWords(normaliseText(text, this.#lowercase)).flatMap((word) => this.#pieces(word)));
  }

  /** Words with a space between them; special tokens are left out, and what was unknown or lower-cased stays lost. */
  decode(ids: ArrayLike<number>): string {
    const next = this.decoder();
    return Array.from(ids, next).join('');
  }

  symbol(id: number): string {
    const token = this.#tokens[id];
    if (token !== undefined) return token;
    throw new FormatError(`WordPiece: expected an id in [0, V = ${this.size}), got ${id}`);
  }

  characters(id: number): number {
    const token = this.symbol(id);
    if (this.#isSpecial(token)) return 1;
    return [...(token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`)].length;
  }

  decoder(): (id: number) => string {
    let first = true;
    return (id) => {
      const token = this.symbol(id);
      if (this.#isSpecial(token)) return '';
      const begins = first;
      first = false;
      if (begins) return token;
      return token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
    };
  }

  /** The content of `tokenizer.json`. */
  toJSON(): object {
    const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
    const added = this.#tokens.flatMap((content, id) => (this.#isSpecial(content) ? [{ id, content, ...flags }] : []));
    const cleaning = { clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: this.#lowercase };
    const limits = { unk_token: unknown, continuing_subword_prefix: prefix, max_input_chars_per_word: longestWord };
    const vocab = Object.fromEntries(this.#tokens.map((token, id) => [token, id]));
    return {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: { type: 'BertNormalizer', ...cleaning },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: null,
      decoder: { type: 'WordPiece', prefix, cleanup: false },
      model: { type: 'WordPiece', ...limits, vocab },
    };
  }

  #isSpecial(token: string): boolean {
    return (specials as readonly string[]).includes(token);
  }

  /** Longest known pieces from the left, or `[UNK]` for the whole word (Wu et al. 2016; greedy as in BERT). */
  #pieces(word: string): number[] {
    const characters = [...word];
    const ids: number[] = [];
    if (characters.length > longestWord) return [this.#ids.get(unknown) as number];
    for (let start = 0; start < characters.length; ) {
      let end = characters.length;
      let id: number | undefined;
      for (; end > start; end--) {
        id = this.#ids.get((start > 0 ? prefix : '') + characters.slice(start, end).join(''));
        if (id !== undefined) break;
      }
      if (id === undefined) return [this.#ids.get(unknown) as number];
      ids.push(id);
      start = end;
    }
    return ids;
  }
}

/** Words as symbols, `##` before all but the first character, with how often each word occurs. */
function countWords(words: readonly string[]): Map<readonly string[], number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const short = [...counts].filter(([word]) => word.length <= longestWord);
  return new Map(
    short.map(([word, count]) => [[...word].map((character, at) => (at > 0 ? prefix : '') + character), count]),
  );
}
