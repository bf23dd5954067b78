/**
 * A text being written by a language model: keys and values of what stands there are held, so a token costs one
 * position. Next: generate.ts, which chooses the tokens.
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
 * One text. When the model's context is full, its later half is read anew and the text goes on from there, because
 * positions are absolute. Dispose it when done.
 */
export class TextSession {
  readonly #model: LanguageModel;
  readonly #caches: readonly KeyValueCache[];
  /** What the caches hold. */
  #held: number[] = [];

  constructor(model: LanguageModel) {
    this.#model = model;
    this.#caches = model.blocks.map(() => new KeyValueCache());
  }

  /** Reads tokens; returns the scores of the next one [V]. Errors: StateError for no tokens. */
  read(tokens: readonly number[]): Float32Array {
    if (tokens.length === 0) throw new StateError('TextSession.read: expected at least one token, got none');
    const { context } = this.#model;
    if (this.#held.length + tokens.length <= context) return this.#feed(tokens);
    const all = [...this.#held, ...tokens];
    this.dispose();
    return this.#feed(all.slice(-Math.max(1, context >> 1)));
  }

  #feed(tokens: readonly number[]): Float32Array {
    const past = { length: this.#held.length, caches: this.#caches };
    this.#held.push(...tokens);
    return noGrad(() =>
      scope(() => {
        const ids = tensor(Int32Array.from(tokens), [1, tokens.length]);
        const logits = this.#model.forward(ids, inference(), past); // [1, L, V]
        return Float32Array.from(select(select(logits, 1, tokens.length - 1), 0, 0).toArray());
      }),
    );
  }

  /** Forgets the text and gives its memory back. */
  dispose(): void {
    for (const cache of this.#caches) cache.dispose();
    this.#held = [];
  }
}
