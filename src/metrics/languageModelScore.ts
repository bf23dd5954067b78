/** What a language model loses: cross-entropy by token, perplexity, and bits by character, which no tokeniser changes. */

import { perplexity, RunningMean } from './runningMean.js';

/** Sums losses over batches, in constant memory. */
export class LanguageModelScore {
  readonly #loss = new RunningMean();
  #characters = 0;

  /** Adds the mean loss, in nats per token, of some tokens, and the number of characters that they stand for. */
  add(meanLossNats: number, tokens: number, characters = 0): void {
    this.#loss.add(meanLossNats, tokens);
    this.#characters += characters;
  }

  /** Cross-entropy in nats per token; NaN before anything was added. */
  get lossNats(): number {
    return this.#loss.value;
  }

  /** e to the cross-entropy. */
  get perplexity(): number {
    return perplexity(this.lossNats);
  }

  /** Whole loss / characters / ln 2; NaN when no characters were counted. */
  get bitsPerCharacter(): number {
    if (this.#characters === 0) return Number.NaN;
    return (this.lossNats * this.#loss.weight) / this.#characters / Math.LN2;
  }
}
