/**
 * A text being written by a language model, or several of one length: keys and values of what stands there are held, so
 * a token costs one position. Next: generate.ts, which chooses the tokens.
 */

import { KeyValueCache } from '../attention/cache.js';
import { StateError } from '../core/errors.js';
import { inference } from '../nn/context.js';
import { tensor } from '../tensor/create.js';
import { noGrad } from '../tensor/recording.js';
import { scope } from '../tensor/scope.js';
import { select } from '../tensor/views.js';
import type { LanguageModel } from './languageModel.js';

/**
 * One text, or a batch of texts that grow together. When the model's context is full, its later half is read anew and
 * the text goes on from there, because positions are absolute. Dispose it when done.
 */
export class TextSession {
  readonly #model: LanguageModel;
  readonly #caches: readonly KeyValueCache[];
  /** What the caches hold, text by text. */
  #held: readonly (readonly number[])[] = [];

  constructor(model: LanguageModel) {
    this.#model = model;
    this.#caches = model.blocks.map(() => new KeyValueCache());
  }

  /** Reads tokens; returns the scores of the next one [V]. Errors: StateError for no tokens. */
  read(tokens: readonly number[]): Float32Array {
    const [scores] = this.readAll([tokens]) as [Float32Array];
    return scores;
  }

  /**
   * Reads as many tokens of each text; returns the scores of the next one of each, [V]. Errors: StateError for no tokens,
   * for texts that take different numbers of them, or for other texts than before.
   */
  readAll(texts: readonly (readonly number[])[]): Float32Array[] {
    const length = checkedLength(texts, this.#held);
    const { context } = this.#model;
    const held = this.#held[0]?.length ?? 0;
    if (held + length <= context) return this.#feed(texts, length);
    const rest = Math.max(1, context >> 1);
    const all = texts.map((tokens, row) => [...(this.#held[row] ?? []), ...tokens].slice(-rest));
    this.dispose();
    return this.#feed(all, Math.min(rest, held + length));
  }

  #feed(texts: readonly (readonly number[])[], length: number): Float32Array[] {
    const past = { length: this.#held[0]?.length ?? 0, caches: this.#caches };
    this.#held = texts.map((tokens, row) => [...(this.#held[row] ?? []), ...tokens]);
    return noGrad(() =>
      scope(() => {
        const ids = tensor(Int32Array.from(texts.flat()), [texts.length, length]);
        const last = select(this.#model.forward(ids, inference(), past), 1, length - 1); // [B, V]
        const scores = last.toArray() as Float32Array;
        const V = last.shape[1] as number;
        return texts.map((_, row) => scores.slice(row * V, (row + 1) * V));
      }),
    );
  }

  /** Forgets the text and gives its memory back. */
  dispose(): void {
    for (const cache of this.#caches) cache.dispose();
    this.#held = [];
  }
}

/** Tokens that each text takes. */
function checkedLength(texts: readonly (readonly number[])[], held: readonly unknown[]): number {
  const length = texts[0]?.length ?? 0;
  if (length === 0) throw new StateError('TextSession.read: expected at least one token, got none');
  if (texts.some((tokens) => tokens.length !== length))
    throw new StateError(
      `TextSession.readAll: expected ${length} tokens of every text, got ${texts.map((tokens) => tokens.length).join(', ')}`,
    );
  if (held.length > 0 && held.length !== texts.length)
    throw new StateError(`TextSession.readAll: expected the same ${held.length} texts as before, got ${texts.length}`);
  return length;
}
