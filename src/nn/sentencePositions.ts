/**
 * Positions in a text of several sentences: which word of its sentence, and how many sentences before the end. Two words
 * of one sentence share a vector, so attention finds them together. Positions by number alone are in positions.ts.
 */

import type { RandomStream } from '../core/random.js';
import { add, affine } from '../tensor/elementwise.js';
import type { Tensor } from '../tensor/tensor.js';
import { Embedding } from './embedding.js';
import { Module } from './module.js';

/** Where each word of a batch stands, i32 [B, L] both: in its sentence, and its sentence counted from the last one. */
export interface SentencePlaces {
  readonly places: Tensor;
  readonly sentences: Tensor;
}

/** Words in a sentence and sentences that have vectors of their own; what is further shares the last one. */
export const mostPlaces = 64;

/**
 * `x + sqrt(E)·(place + sentence)`, both learned (Sukhbaatar et al. 2015, §4.1, temporal encoding).
 *
 * Shapes: x [B, L, E] → [B, L, E].
 */
export class SentencePositions extends Module {
  readonly place: Embedding;
  readonly sentence: Embedding;
  readonly #scale: number;

  constructor(width: number, random: RandomStream) {
    super();
    this.place = new Embedding(mostPlaces, width, random);
    this.sentence = new Embedding(mostPlaces, width, random);
    this.#scale = Math.sqrt(width);
  }

  forward(x: Tensor, { places, sentences }: SentencePlaces): Tensor {
    const both = add(this.place.forward(places), this.sentence.forward(sentences)); // [B, L, E]
    return add(x, affine(both, this.#scale, 0));
  }
}
