/**
 * Sequence-to-sequence examples as ids: every pair of a source and one of its targets is one example to learn from;
 * evaluation sees a source once, with all of its targets.
 */

import { hash32 } from '../core/hash.js';
import { RandomStream } from '../core/random.js';
import type { ExpectedAttention } from '../core/records.js';
import { batchesFrom, bucketByLength, type Cursor, padSequences } from '../data/batching.js';
import type { Split } from '../data/split.js';
import type { Vocabulary } from '../data/vocabulary.js';
import type { TokenBatch } from '../models/encoderDecoder.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

/** A source text, its symbols, and all right answers. */
export interface SequenceExample {
  readonly input: string;
  readonly source: readonly string[];
  readonly targets: readonly (readonly string[])[];
}

export type SequenceSplits = Readonly<Record<Split, readonly SequenceExample[]>>;

export interface Vocabularies {
  readonly source: Vocabulary;
  readonly target: Vocabulary;
}

/** A batch on the backend: source, target shifted right, and what is to be predicted. */
export interface SequenceBatch {
  readonly source: TokenBatch;
  /** `<bos>` and the target [B, L]. */
  readonly input: Tensor;
  /** The target and `<eos>` [B, L]; padding is 0. */
  readonly labels: Tensor;
  /** Real positions of every row of `input`. */
  readonly lengths: readonly number[];
  readonly tokens: number;
}

interface Pair {
  readonly source: readonly number[];
  readonly target: readonly number[];
}

/** Every (source, target) pair of some examples, ready to be batched. */
export class SequencePairs {
  readonly #pairs: readonly Pair[];
  readonly #vocabularies: Vocabularies;

  constructor(examples: readonly SequenceExample[], vocabularies: Vocabularies) {
    this.#vocabularies = vocabularies;
    this.#pairs = examples.flatMap(({ source, targets }) => {
      const ids = encodeSource(source, vocabularies);
      return targets.map((target) => ({ source: ids, target: vocabularies.target.encode(target) }));
    });
  }

  /** Shuffled batches for training, for ever. */
  *batches(from: Cursor, tokens: number, seed: number): Generator<{ batch: SequenceBatch; next: Cursor }, never> {
    const random = new RandomStream(seed).fork('batches');
    for (const { indices, next } of batchesFrom(this.#lengths(), { tokens, random, from })) {
      yield { batch: this.#batch(indices), next };
    }
    throw new Error('unreachable: batchesFrom never ends');
  }

  /** Every pair once, in order of length; each batch is made when called for, in the caller's scope. */
  *once(tokens: number): Generator<() => SequenceBatch> {
    for (const indices of bucketByLength(this.#lengths(), { tokens })) yield () => this.#batch(indices);
  }

  #lengths(): number[][] {
    return this.#pairs.map(({ source, target }) => [source.length, target.length + 1]);
  }

  #batch(indices: readonly number[]): SequenceBatch {
    const pairs = indices.map((index) => this.#pairs[index] as Pair);
    const { bos, eos } = this.#vocabularies.target;
    const labels = padded(pairs.map(({ target }) => [...target, eos]));
    return {
      source: tokenBatch(pairs.map(({ source }) => source)),
      input: padded(pairs.map(({ target }) => [bos, ...target])),
      labels,
      lengths: pairs.map(({ target }) => target.length + 1),
      tokens: pairs.reduce((sum, { target }) => sum + target.length + 1, 0),
    };
  }
}

/** Source ids, `<eos>` last: a place to look at when no symbol is meant. */
export function encodeSource(source: readonly string[], vocabularies: Vocabularies): number[] {
  return vocabularies.source.encode(source, { eos: true });
}

/** Padded ids on the backend, with their lengths. */
export function tokenBatch(sequences: readonly (readonly number[])[]): TokenBatch {
  return { ids: padded(sequences), lengths: sequences.map(({ length }) => length) };
}

function padded(sequences: readonly (readonly number[])[]): Tensor {
  const { ids, shape } = padSequences(sequences);
  return tensor(ids, shape, { dtype: 'i32' });
}

/** What ought to hold in each attention module of an encoder–decoder: nobody reads padding, the decoder not ahead. */
export function expectedIn(path: string, { source, lengths }: SequenceBatch): ExpectedAttention {
  if (path.startsWith('encoder.')) return { causal: false, queryLengths: source.lengths, keyLengths: source.lengths };
  const causal = !path.endsWith('crossAttention');
  return { causal, queryLengths: lengths, keyLengths: causal ? lengths : source.lengths };
}

/** Ids of the keys of an attention module [B, S]. */
export function keysOf(path: string, { source, input }: SequenceBatch): Tensor {
  return path.startsWith('encoder.') || path.endsWith('crossAttention') ? source.ids : input;
}

/** `count` examples chosen by the hash of their input: the same ones every time, from all over the data. */
export function sampleExamples<Example>(
  examples: readonly Example[],
  count: number | undefined,
  inputOf: (example: Example) => string,
): readonly Example[] {
  if (count === undefined || count >= examples.length) return examples;
  const ranked = examples.map((example) => ({ example, rank: hash32(`sample/${inputOf(example)}`) }));
  return ranked
    .sort((a, b) => a.rank - b.rank)
    .slice(0, count)
    .map(({ example }) => example);
}

/**
 * The examples that a model of `maxLength` can hold, endings included, and lines that count the others. Long inputs are
 * cut where `longInputs` says so; an example whose answer is too long is left out of every part.
 */
export function fitLength(
  all: SequenceSplits,
  maxLength: number,
  longInputs: 'refuse' | 'cut' = 'refuse',
): { readonly splits: SequenceSplits; readonly notices: readonly string[] } {
  const longest = maxLength - 1;
  let [left, cut] = [0, 0];
  const fit = (example: SequenceExample): readonly SequenceExample[] => {
    const { source, targets } = example;
    const long = source.length > longest;
    if ((long && longInputs === 'refuse') || targets.some(({ length }) => length > longest)) {
      left++;
      return [];
    }
    if (long) cut++;
    return [long ? { ...example, source: source.slice(0, longest) } : example];
  };
  const splits = {
    train: all.train.flatMap(fit),
    validation: all.validation.flatMap(fit),
    test: all.test.flatMap(fit),
  };
  const notices = [
    ...(left > 0 ? [`${left} examples longer than maxLength=${maxLength} were left out`] : []),
    ...(cut > 0 ? [`${cut} inputs longer than maxLength=${maxLength} were cut`] : []),
  ];
  return { splits, notices };
}
