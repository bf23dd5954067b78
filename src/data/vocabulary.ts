/**
 * Symbols and their numbers. A symbol is any text: a letter, a phoneme, a word piece. What cuts text into symbols is
 * not here. Next: batching.ts, which pads what `encode` returns.
 */

import { FormatError } from '../core/errors.js';

/** How a vocabulary looks inside a run folder. */
export interface StoredVocabulary {
  readonly format: 1;
  /** With `<unk>` for symbols never seen. */
  readonly unknown: boolean;
  /** Without the special tokens, in the order of their ids. */
  readonly symbols: readonly string[];
}

const specials = ['<pad>', '<bos>', '<eos>'] as const;
const unknownToken = '<unk>';

/**
 * A two-way table between symbols and ids 0 … size-1.
 *
 * Ids: `<pad>` 0, `<bos>` 1, `<eos>` 2, then `<unk>` if asked for, then the symbols in the order given.
 * Errors: FormatError for a symbol given twice, empty, or spelled like a special token.
 */
export class Vocabulary {
  /** Ids of the special tokens. */
  readonly pad = 0;
  readonly bos = 1;
  readonly eos = 2;
  /** Id of `<unk>`; undefined when unknown symbols are errors. */
  readonly unknown: number | undefined;
  /** Number of ids, V. */
  readonly size: number;
  readonly #symbols: readonly string[];
  readonly #ids = new Map<string, number>();

  constructor(symbols: Iterable<string>, options: { readonly unknown?: boolean } = {}) {
    const special = options.unknown ? [...specials, unknownToken] : specials;
    this.unknown = options.unknown ? specials.length : undefined;
    this.#symbols = [...special, ...symbols];
    this.size = this.#symbols.length;
    for (const [id, symbol] of this.#symbols.entries()) this.#register(symbol, id);
  }

  /** The distinct symbols of some sequences, ordered by code unit, so that the order of the data does not matter. */
  static from(sequences: Iterable<Iterable<string>>, options: { readonly unknown?: boolean } = {}): Vocabulary {
    const distinct = new Set<string>();
    for (const sequence of sequences) for (const symbol of sequence) distinct.add(symbol);
    return new Vocabulary([...distinct].sort(), options);
  }

  /** Whether `symbol` has an id of its own. */
  has(symbol: string): boolean {
    return this.#ids.has(symbol);
  }

  /**
   * Ids of some symbols, between `<bos>` and `<eos>` where asked for. Errors: FormatError naming the first unknown
   * symbol and its position, unless there is `<unk>`.
   */
  encode(symbols: Iterable<string>, options: { readonly bos?: boolean; readonly eos?: boolean } = {}): number[] {
    const ids = options.bos ? [this.bos] : [];
    let position = 0;
    for (const symbol of symbols) ids.push(this.#id(symbol, position++));
    if (options.eos) ids.push(this.eos);
    return ids;
  }

  /** Symbols of ids, up to `<eos>`; padding and `<bos>` are left out. Errors: FormatError for an id out of range. */
  decode(ids: Iterable<number>): string[] {
    const symbols: string[] = [];
    for (const id of ids) {
      const symbol = this.symbol(id);
      if (id === this.eos) break;
      if (id !== this.pad && id !== this.bos) symbols.push(symbol);
    }
    return symbols;
  }

  /** The text of one id, special tokens included, as on the axis of a picture. */
  symbol(id: number): string {
    const symbol = this.#symbols[id];
    if (symbol === undefined) {
      throw new FormatError(`Vocabulary: expected an id in [0, V = ${this.size}), got ${id}`, { id, size: this.size });
    }
    return symbol;
  }

  toJSON(): StoredVocabulary {
    const unknown = this.unknown !== undefined;
    return { format: 1, unknown, symbols: this.#symbols.slice(specials.length + Number(unknown)) };
  }

  /** Reads what `toJSON` wrote. Errors: FormatError for anything else, unknown keys included. */
  static fromJSON(value: unknown): Vocabulary {
    if (!isStored(value)) {
      throw new FormatError(
        'Vocabulary.fromJSON: expected { format: 1, unknown: boolean, symbols: string[] }, got something else',
      );
    }
    return new Vocabulary(value.symbols, { unknown: value.unknown });
  }

  #register(symbol: string, id: number): void {
    const wrong =
      symbol === '' ? 'an empty one' : this.#ids.has(symbol) ? `${JSON.stringify(symbol)} twice` : undefined;
    if (wrong !== undefined)
      throw new FormatError(`Vocabulary: expected distinct symbols, got ${wrong}`, { symbol, id });
    this.#ids.set(symbol, id);
  }

  #id(symbol: string, position: number): number {
    const id = this.#ids.get(symbol) ?? this.unknown;
    if (id !== undefined) return id;
    throw new FormatError(
      `Vocabulary.encode: expected symbols of the vocabulary (V = ${this.size}), got ${JSON.stringify(symbol)} at position ${position}`,
      { symbol, position },
    );
  }
}

function isStored(value: unknown): value is StoredVocabulary {
  if (typeof value !== 'object' || value === null) return false;
  const { format, unknown, symbols, ...rest } = value as Record<string, unknown>;
  return (
    format === 1 &&
    typeof unknown === 'boolean' &&
    Array.isArray(symbols) &&
    symbols.every((symbol) => typeof symbol === 'string') &&
    Object.keys(rest).length === 0
  );
}
