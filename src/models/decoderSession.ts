/**
 * A target being written token by token: keys and values of earlier steps and of the memory are held, so a step costs
 * one position. Rows can be reordered, dropped and repeated between steps, which is what beam search needs.
 */

import { KeyValueCache } from '../attention/cache.js';
import { keyPadding, type Mask } from '../attention/mask.js';
import type { Context } from '../nn/context.js';
import { tensor } from '../tensor/create.js';
import { logSoftmax } from '../tensor/normalise.js';
import { scope } from '../tensor/scope.js';
import { select } from '../tensor/views.js';
import type { Decoder, Memory } from './encoderDecoder.js';

/** Decodes several sequences in step. Dispose it when done. */
export class DecoderSession {
  readonly #decoder: Decoder;
  readonly #context: Context;
  readonly #past: readonly KeyValueCache[];
  readonly #memory: readonly KeyValueCache[];
  #lengths: readonly number[];
  #position = 0;

  constructor(decoder: Decoder, { states, mask }: Memory, context: Context) {
    const [B, S] = states.shape as [number, number];
    this.#decoder = decoder;
    this.#context = context;
    this.#lengths = mask.lengths ?? Array<number>(B).fill(S);
    this.#past = decoder.blocks.map(() => new KeyValueCache());
    this.#memory = decoder.blocks.map((block) => {
      const cache = new KeyValueCache();
      const { k, v } = block.crossAttention.project(states);
      cache.append(k, v);
      return cache;
    });
  }

  /** Feeds one token a row; returns the log-probabilities of the next one, packed [rows, V]. */
  step(tokens: ArrayLike<number>): Float32Array {
    return scope(() => {
      const ids = tensor(tokens, [tokens.length, 1], { dtype: 'i32' });
      const memoryMask: Mask = keyPadding(this.#lengths);
      let x = this.#decoder.input.forward(ids, this.#context, this.#position); // [rows, 1, E]
      this.#decoder.blocks.forEach((block, index) => {
        const memory = (this.#memory[index] as KeyValueCache).held();
        x = block.forward(x, this.#context, { memory, memoryMask, cache: this.#past[index] });
      });
      this.#position++;
      const logits = this.#decoder.output.forward(this.#decoder.norm.forward(x)); // [rows, 1, V]
      return Float32Array.from(logSoftmax(select(logits, 1, 0)).toArray());
    });
  }

  /** Row r continues as a copy of the old row `rows[r]`. */
  reorder(rows: readonly number[]): void {
    if (rows.length === this.#lengths.length && rows.every((row, index) => row === index)) return;
    for (const cache of [...this.#past, ...this.#memory]) cache.reorder(rows);
    this.#lengths = rows.map((row) => this.#lengths[row] as number);
  }

  dispose(): void {
    for (const cache of [...this.#past, ...this.#memory]) cache.dispose();
  }
}
