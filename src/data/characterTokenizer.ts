/** One token a character (Unicode code point): nothing to train, and nothing is ever split wrongly. */

import { FormatError, UsageError } from '../core/errors.js';
import type { TextTokenizer } from './textTokenizer.js';

interface StoredCharacters {
  readonly kind: 'characters';
  readonly format: 1;
  /** In the order of their ids. */
  readonly characters: string;
}

export class CharacterTokenizer implements TextTokenizer {
  readonly #symbols: readonly string[];
  readonly #ids: ReadonlyMap<number, number>;

  /** Ids in the order given. Errors: FormatError for a character given twice. */
  constructor(characters: Iterable<string>) {
    this.#symbols = [...characters];
    this.#ids = new Map(this.#symbols.map((symbol, id) => [symbol.codePointAt(0) as number, id]));
    if (this.#ids.size !== this.#symbols.length) {
      throw new FormatError('CharacterTokenizer: expected every character once, got one twice');
    }
  }

  /** All characters of a text, in the order of their code points. */
  static of(text: string): CharacterTokenizer {
    const seen = new Set<number>();
    for (let at = 0; at < text.length; at++) {
      const code = text.codePointAt(at) as number;
      seen.add(code);
      if (code > 0xffff) at++;
    }
    return new CharacterTokenizer([...seen].sort((a, b) => a - b).map((code) => String.fromCodePoint(code)));
  }

  get size(): number {
    return this.#symbols.length;
  }

  encode(text: string): Uint32Array {
    const ids = new Uint32Array(text.length);
    let count = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.codePointAt(at) as number;
      const id = this.#ids.get(code);
      if (id === undefined) throw unknownCharacter(code, at);
      ids[count++] = id;
      if (code > 0xffff) at++;
    }
    return count === ids.length ? ids : ids.slice(0, count);
  }

  decode(ids: ArrayLike<number>): string {
    return Array.from(ids, (id) => this.symbol(id)).join('');
  }

  symbol(id: number): string {
    const symbol = this.#symbols[id];
    if (symbol !== undefined) return symbol;
    throw new FormatError(`CharacterTokenizer: expected an id in [0, V = ${this.size}), got ${id}`);
  }

  characters(_id: number): number {
    return 1;
  }

  decoder(): (id: number) => string {
    return (id) => this.symbol(id);
  }

  toJSON(): StoredCharacters {
    return { kind: 'characters', format: 1, characters: this.#symbols.join('') };
  }

  /** Reads what `toJSON` wrote. Errors: FormatError for anything else. */
  static fromJSON(value: unknown): CharacterTokenizer {
    const { kind, format, characters } = (value ?? {}) as Partial<StoredCharacters>;
    if (kind === 'characters' && format === 1 && typeof characters === 'string')
      return new CharacterTokenizer(characters);
    throw new FormatError(
      `CharacterTokenizer.fromJSON: expected { kind: characters, format: 1, characters: string }, got format ${format}; open it with the version of Keyhole that wrote it`,
    );
  }
}

function unknownCharacter(code: number, position: number): UsageError {
  const character = JSON.stringify(String.fromCodePoint(code));
  return new UsageError(
    `encode: expected characters of the training text, got ${character} (U+${code.toString(16).toUpperCase().padStart(4, '0')}) at position ${position}`,
    { character, position },
  );
}
