/**
 * Labelled texts as ids: what is cut, what is counted, and batches on the backend. Where texts come from is a task's
 * business. Next: classification.ts.
 */

import { UsageError } from '../core/errors.js';
import { RandomStream } from '../core/random.js';
import { batchesFrom, bucketByLength, type Cursor, padSequences } from '../data/batching.js';
import type { Split } from '../data/split.js';
import { Vocabulary } from '../data/vocabulary.js';
import type { TextSource } from '../models/textClassifier.js';
import { mostPlaces } from '../nn/sentencePositions.js';
import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

/** A text and its class. */
export interface LabelledText {
  readonly text: string;
  readonly label: string;
  /** What accuracy is to be broken down by, such as `{ kind: 2, distance: 7 }`. */
  readonly groups?: Readonly<Record<string, string | number>>;
  /** Numbers of the sentences that the answer needs, where that is known. */
  readonly support?: readonly number[];
}

export type LabelledSplits = Readonly<Record<Split, readonly LabelledText[]>>;

/** Words with ids, and classes by number. */
export interface ClassVocabularies {
  readonly words: Vocabulary;
  readonly labels: readonly string[];
}

/** A labelled text as the model sees it. */
export interface TextExample extends LabelledText {
  /** Ids of the words that fit, `<eos>` last. */
  readonly ids: ArrayLike<number>;
  /** Words before cutting. */
  readonly words: number;
  /** Number of the class. */
  readonly target: number;
}

/** A batch on the backend. */
export interface ClassBatch {
  readonly source: TextSource;
  /** Classes i32 [B]. */
  readonly labels: Tensor;
  /** Texts. */
  readonly tokens: number;
}

/**
 * The `size` most frequent words of the texts to learn from (ties in order of code unit), and all classes there are.
 *
 * Errors: UsageError for fewer than two classes.
 */
export function vocabulariesFor(
  { train, validation, test }: LabelledSplits,
  split: (text: string) => readonly string[],
  size: number,
): ClassVocabularies {
  const labels = [...new Set([...train, ...validation, ...test].map(({ label }) => label))].sort();
  if (labels.length < 2) {
    const got = labels.length === 0 ? 'no text' : `only ${JSON.stringify(labels[0])}`;
    throw new UsageError(`classification: expected texts of two classes or more, got ${got}`);
  }
  const counts = new Map<string, number>();
  for (const { text } of train) for (const word of split(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const ranked = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).map(([word]) => word);
  return { words: new Vocabulary(ranked.slice(0, size), { unknown: true }), labels };
}

/** Ids of the first words that leave a place for `<eos>` in a context. */
export function encodeText(words: readonly string[], { words: known }: ClassVocabularies, context: number): number[] {
  return known.encode(words.slice(0, context - 1), { eos: true });
}

/** All texts as ids. */
export function encodeSplits(
  splits: LabelledSplits,
  vocabularies: ClassVocabularies,
  { context, split }: { readonly context: number; readonly split: (text: string) => readonly string[] },
): Readonly<Record<Split, readonly TextExample[]>> {
  const numbers = new Map(vocabularies.labels.map((label, index) => [label, index]));
  const encode = (texts: readonly LabelledText[]): TextExample[] =>
    texts.map((labelled) => {
      const words = split(labelled.text);
      const ids = Int32Array.from(encodeText(words, vocabularies, context));
      return { ...labelled, ids, words: words.length, target: numbers.get(labelled.label) as number };
    });
  return { train: encode(splits.train), validation: encode(splits.validation), test: encode(splits.test) };
}

/** What a reader has to know of the data: cut and empty texts, classes that are missing somewhere. */
export function noticesOf(
  parts: Readonly<Record<Split, readonly TextExample[]>>,
  { labels }: ClassVocabularies,
  context: number,
): string[] {
  const all = [...parts.train, ...parts.validation, ...parts.test];
  const cut = all.filter(({ words }) => words > context - 1).length;
  const empty = all.filter(({ words }) => words === 0).length;
  const share = ((100 * cut) / all.length).toFixed(1);
  const missing = labels.flatMap((label, target) =>
    (['train', 'validation', 'test'] as const)
      .filter((split) => !parts[split].some((example) => example.target === target))
      .map((split) => missingClass(label, split)),
  );
  return [
    ...(cut > 0 ? [`${cut} of ${all.length} texts (${share} %) are longer than context=${context} and were cut`] : []),
    ...(empty > 0 ? [`${empty} texts hold no word; they are judged by being empty`] : []),
    ...missing,
  ];
}

function missingClass(label: string, split: Split): string {
  const name = JSON.stringify(label);
  if (split === 'train') return `class ${name} is in the held-out data only: the model cannot learn it`;
  return `class ${name} has no text in the ${split} data`;
}

/** Shuffled batches for training, for ever. */
export function* trainingBatches(
  examples: readonly TextExample[],
  tokens: number,
  seed: number,
  from: Cursor,
  vocabularies: ClassVocabularies,
): Generator<{ batch: ClassBatch; next: Cursor }, never> {
  const random = new RandomStream(seed).fork('batches');
  for (const { indices, next } of batchesFrom(lengthsOf(examples), { tokens, random, from })) {
    yield {
      batch: batchOf(
        indices.map((index) => examples[index] as TextExample),
        vocabularies,
      ),
      next,
    };
  }
  throw new Error('unreachable: batchesFrom never ends');
}

/** Every text once, in order of length: its numbers, and the batch, made when called for in the caller's scope. */
export function* heldOutBatches(
  examples: readonly TextExample[],
  tokens: number,
  vocabularies: ClassVocabularies,
): Generator<{ readonly indices: readonly number[]; readonly batch: () => ClassBatch }> {
  for (const indices of bucketByLength(lengthsOf(examples), { tokens })) {
    yield {
      indices,
      batch: () =>
        batchOf(
          indices.map((index) => examples[index] as TextExample),
          vocabularies,
        ),
    };
  }
}

function lengthsOf(examples: readonly TextExample[]): number[][] {
  return examples.map(({ ids }) => [ids.length]);
}

function batchOf(examples: readonly TextExample[], vocabularies: ClassVocabularies): ClassBatch {
  const labels = tensor(
    Int32Array.from(examples, ({ target }) => target),
    [examples.length],
  );
  return {
    source: sourceOf(
      examples.map(({ ids }) => ids),
      vocabularies,
    ),
    labels,
    tokens: examples.length,
  };
}

/** Padded ids on the backend, with their lengths and where each word stands in its sentence. */
export function sourceOf(texts: readonly ArrayLike<number>[], { words }: ClassVocabularies): TextSource {
  const { ids, lengths, shape } = padSequences(texts);
  const ends = new Set(['.', '!', '?'].filter((symbol) => words.has(symbol)).flatMap((end) => words.encode([end])));
  const where = texts.map((text) => sentencePlaces(text, ends));
  const places = padSequences(where.map((word) => word.places)).ids;
  const sentences = padSequences(where.map((word) => word.sentences)).ids;
  return {
    ids: tensor(ids, shape),
    lengths: Array.from(lengths),
    where: { places: tensor(places, shape), sentences: tensor(sentences, shape) },
  };
}

/** Of each word, its number in its sentence, and how many sentences follow; what ends a text belongs to the last one. */
function sentencePlaces(ids: ArrayLike<number>, ends: ReadonlySet<number>): { places: number[]; sentences: number[] } {
  const [places, numbers]: [number[], number[]] = [[], []];
  for (let at = 0, place = 0, number = 0; at < ids.length; at++) {
    places.push(Math.min(place++, mostPlaces - 1));
    numbers.push(number);
    if (!ends.has(ids[at] as number) || at >= ids.length - 2) continue;
    number++;
    place = 0;
  }
  const last = numbers.at(-1) ?? 0;
  return { places, sentences: numbers.map((number) => Math.min(last - number, mostPlaces - 1)) };
}
