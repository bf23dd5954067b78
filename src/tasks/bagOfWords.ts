/**
 * The baseline of every text classifier: logistic regression on which words a text holds, blind to their order. If a
 * model is not above it, reading in order did not pay.
 */

import { RandomStream } from '../core/random.js';
import type { ClassVocabularies, TextExample } from './classificationData.js';
import { classFigures, type Judged } from './classificationFigures.js';
import type { FigureTable } from './task.js';

const epochs = 20;
const rate = 0.5;

/** Distinct words of a text, each with the same weight, of length 1 together. */
interface Bag {
  readonly words: readonly number[];
  readonly value: number;
}

/**
 * `softmax(W·x + b)`, x having `1/sqrt(n)` for each of the n distinct words among those that a model reads. Learned by
 * stochastic gradient descent on the log loss, 20 passes, the rate falling to 0, in an order fixed by a seed.
 */
export class BagOfWords {
  readonly #weights: Float64Array;
  readonly #bias: Float64Array;
  readonly #classes: number;

  constructor(vocabulary: number, classes: number) {
    this.#classes = classes;
    this.#weights = new Float64Array(vocabulary * classes); // [V, C]
    this.#bias = new Float64Array(classes);
  }

  /** Learns from texts. */
  learn(examples: readonly TextExample[]): void {
    const bags = examples.map(bagOf);
    const random = new RandomStream(1).fork('bag of words');
    const total = epochs * bags.length;
    let seen = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      for (const index of random.shuffle([...bags.keys()])) {
        this.#update(bags[index] as Bag, (examples[index] as TextExample).target, rate * (1 - seen++ / total));
      }
    }
  }

  /** Probabilities of the classes. */
  judge(example: TextExample): Judged {
    return { target: example.target, probabilities: this.#probabilities(bagOf(example)) };
  }

  #probabilities({ words, value }: Bag): Float64Array {
    const scores = Float64Array.from(this.#bias);
    for (const word of words) {
      for (let c = 0; c < this.#classes; c++) {
        scores[c] = (scores[c] as number) + value * (this.#weights[word * this.#classes + c] as number);
      }
    }
    const most = scores.reduce((a, b) => Math.max(a, b));
    const powers = scores.map((score) => Math.exp(score - most));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  }

  #update(bag: Bag, target: number, step: number): void {
    const wrong = this.#probabilities(bag);
    wrong[target] = (wrong[target] as number) - 1;
    for (let c = 0; c < this.#classes; c++) {
      const change = step * (wrong[c] as number);
      this.#bias[c] = (this.#bias[c] as number) - change;
      for (const word of bag.words) {
        const at = word * this.#classes + c;
        this.#weights[at] = (this.#weights[at] as number) - change * bag.value;
      }
    }
  }
}

function bagOf({ ids }: TextExample): Bag {
  const words = [...new Set(Array.from(ids))];
  return { words, value: 1 / Math.sqrt(words.length) };
}

/** The figures of a model beside those of the baseline, learned on the same words of the same texts. */
export function baselineTable(
  train: readonly TextExample[],
  heldOut: readonly TextExample[],
  judged: readonly Judged[],
  { words, labels }: ClassVocabularies,
): FigureTable {
  const baseline = new BagOfWords(words.size, labels.length);
  baseline.learn(train);
  const models = {
    model: judged,
    'bag of words': heldOut.map((example) => baseline.judge(example)),
  };
  const figures = Object.entries(models).map(([name, all]) => ({ name, ...classFigures(all, labels.length) }));
  const [{ name: _, ...first } = { name: '' }] = figures;
  const columns = Object.keys(first);
  const rows = figures.map(({ name, ...own }) => [
    name,
    ...columns.map((key) => (own as Record<string, number>)[key] ?? NaN),
  ]);
  return { title: 'Beside logistic regression on a bag of words', columns: ['', ...columns], rows };
}
