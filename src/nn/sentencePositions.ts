/**
 * Positions in a text of several sentences: which word of its sentence, and how many sentences before the end. Two words
 * of one sentence share a vector, so attention finds them together. Positions by number alone are in positions.ts.
 */

import { booleanMask, type Mask } from '../attention/mask.js';
import type { RandomStream } from '../core/random.js';
import { tensor } from '../tensor/create.js';
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

/** Positions start quieter than words, so that what is alike at first is the same word and not the same place. */
const quietness = 0.3;

/**
 * `x + 0.3·sqrt(E)·(place + sentence)`, both learned (Sukhbaatar et al. 2015, §4.1, temporal encoding).
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
    this.#scale = quietness * Math.sqrt(width);
  }

  forward(x: Tensor, { places, sentences }: SentencePlaces): Tensor {
    const both = add(this.place.forward(places), this.sentence.forward(sentences)); // [B, L, E]
    return add(x, affine(both, this.#scale, 0));
  }
}

/**
 * Every word may attend to the words of its own sentence.
 *
 * Shapes: sentences i32 [B, L] → a mask of [B, 1, L, L]. Memory: B·L² bytes.
 */
export function ownSentence(sentences: Tensor): Mask {
  const [B, L] = sentences.shape as [number, number];
  const numbers = sentences.toArray();
  const allowed = new Uint8Array(B * L * L);
  for (let pair = 0; pair < allowed.length; pair++) {
    const query = Math.floor(pair / L);
    const key = query - (query % L) + (pair % L);
    allowed[pair] = Number(numbers[query] === numbers[key]);
  }
  return booleanMask(tensor(allowed, [B, 1, L, L], { dtype: 'u8' }));
}
