/**
 * Every task that gives a text one of several classes: model, loss, figures, pictures. A task of this kind only says
 * where its texts come from; see spam.ts. What is counted and cut: classificationData.ts.
 */

import type { z } from 'zod';
import { StateError } from '../core/errors.js';
import { RandomStream } from '../core/random.js';
import type { AttentionPicture, CapturedAttention, ExpectedAttention } from '../core/records.js';
import type { Cursor } from '../data/batching.js';
import type { Split } from '../data/split.js';
import { Vocabulary } from '../data/vocabulary.js';
import { sentenceSpans, splitWords } from '../data/words.js';
import { TextClassifier, type TextClassifierOptions } from '../models/textClassifier.js';
import { type Context, inference } from '../nn/context.js';
import { crossEntropy } from '../tensor/crossEntropy.js';
import { softmax } from '../tensor/normalise.js';
import { noGrad } from '../tensor/recording.js';
import { mean } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import type { BatchLoss } from '../train/step.js';
import { baselineTable } from './bagOfWords.js';
import {
  type ClassBatch,
  type ClassVocabularies,
  encodeSplits,
  encodeText,
  heldOutBatches,
  type LabelledSplits,
  noticesOf,
  sourceOf,
  type TextExample,
  trainingBatches,
  vocabulariesFor,
} from './classificationData.js';
import { bestOf, classFigures, confusionTable, groupTables, type Judged } from './classificationFigures.js';
import { type Reader, supportTable, textPictures } from './classificationViews.js';
import { delimitersIn, isSeparator } from './delimiters.js';
import { examine } from './examine.js';
import { sampleExamples } from './sequenceData.js';
import type { Answer, AnswerOptions, Config, EvaluateOptions, FigureTable, OpenTask, Probe, Task } from './task.js';

/** Keys that a classification configuration has at least. */
export interface ClassificationConfig extends Omit<TextClassifierOptions, 'vocabulary' | 'classes'> {
  readonly seed: number;
  readonly batchTokens: number;
  readonly labelSmoothing: number;
  readonly vocabularySize: number;
}

/** What makes a classification task. */
export interface ClassificationDefinition<C extends ClassificationConfig> {
  readonly name: string;
  readonly summary: string;
  readonly schema: z.ZodObject;
  readonly presets: Readonly<Record<string, Partial<C>>>;
  /** The figure that decides which weights are best; the higher the better. */
  readonly decides: string;
  /** The texts with their classes; everything that belongs together is in one split. */
  load(config: C): Promise<{ readonly splits: LabelledSplits; readonly notices: readonly string[] }>;
  /** Text to words. Default `splitWords`. */
  readonly split?: (text: string) => readonly string[];
}

/** A task from its definition. */
export function classificationTask<C extends ClassificationConfig>(definition: ClassificationDefinition<C>): Task {
  const { name, summary, schema, presets, split = splitWords } = definition;
  return {
    ...{ name, summary, schema },
    presets: presets as Task['presets'],
    decides: { metric: definition.decides, better: 'higher' },
    judgedOn: 'test',
    answerKeys: [],
    async open(config, stored) {
      const known = config as unknown as C;
      const { splits, notices } = await definition.load(known);
      const vocabularies = stored ? readVocabularies(stored) : vocabulariesFor(splits, split, known.vocabularySize);
      const parts = encodeSplits(splits, vocabularies, { context: known.context, split });
      const counted = noticesOf(parts, vocabularies, known.context);
      return new OpenClassification({ name, split, vocabularies, parts, notices: [...notices, ...counted] }, known);
    },
    reopen: (config, stored) =>
      new OpenClassification(
        { name, split, vocabularies: readVocabularies(stored), notices: [] },
        config as unknown as C,
      ),
  };
}

function readVocabularies({ words, labels }: Config): ClassVocabularies {
  return { words: Vocabulary.fromJSON(words), labels: labels as readonly string[] };
}

/** What an open task knows beside its configuration and its model. */
interface Loaded {
  readonly name: string;
  readonly split: (text: string) => readonly string[];
  readonly vocabularies: ClassVocabularies;
  /** Undefined when only the model was opened. */
  readonly parts?: Readonly<Record<Split, readonly TextExample[]>>;
  readonly notices: readonly string[];
}

/** Texts whose attention is logged at every evaluation. */
const observed = 32;
const shownSamples = 5;

class OpenClassification implements OpenTask<ClassBatch> {
  readonly model: TextClassifier;
  readonly axes = { input: 'text', output: 'class' };
  readonly #loaded: Loaded;
  readonly #config: ClassificationConfig;

  constructor(loaded: Loaded, config: ClassificationConfig) {
    this.#loaded = loaded;
    this.#config = config;
    const { words, labels } = loaded.vocabularies;
    const sizes = { vocabulary: words.size, classes: labels.length };
    this.model = new TextClassifier({ ...config, ...sizes }, new RandomStream(config.seed).fork('model'));
  }

  get notices(): readonly string[] {
    return this.#loaded.notices;
  }

  get vocabularies(): Config {
    const { words, labels } = this.#loaded.vocabularies;
    return { words: words.toJSON(), labels };
  }

  get samples(): readonly string[] {
    return this.inputs('test', shownSamples);
  }

  inputs(split: Split, count: number): readonly string[] {
    return this.#sample(split, count).map(({ text }) => text);
  }

  batches(from: Cursor): Iterator<{ readonly batch: ClassBatch; readonly next: Cursor }> {
    const { batchTokens, seed } = this.#config;
    return trainingBatches(this.#examples('train'), batchTokens, seed, from, this.#loaded.vocabularies);
  }

  rebuild(changes: Config = {}): OpenTask<ClassBatch> {
    return new OpenClassification(this.#loaded, { ...this.#config, ...changes });
  }

  loss({ source, labels, tokens }: ClassBatch, context: Context): BatchLoss {
    const logits = this.model.forward(source, context); // [B, C]
    return { loss: mean(crossEntropy(logits, labels, { smoothing: this.#config.labelSmoothing })), tokens };
  }

  evaluate(split: Split, { sample }: EvaluateOptions = {}): Record<string, number> {
    return classFigures(this.#judge(this.#sample(split, sample)), this.#labels.length);
  }

  tables(split: Split): readonly FigureTable[] {
    const examples = this.#examples(split);
    const judged = this.#judge(examples);
    const support = supportTable(this.#reader, sampleExamples(examples, 200, textOf), this.#loaded.split);
    return [
      baselineTable(this.#examples('train'), examples, judged, this.#loaded.vocabularies),
      ...(this.#labels.length <= 12 ? [confusionTable(judged, this.#labels)] : []),
      ...groupTables(examples, judged),
      ...(support ? [support] : []),
    ];
  }

  observe(): readonly CapturedAttention[] {
    return examine(this.model, this.probes('validation', observed)).captured;
  }

  *probes(split: Split, count: number): Generator<() => Probe> {
    const { batchTokens } = this.#config;
    const { words } = this.#loaded.vocabularies;
    for (const { indices, batch } of heldOutBatches(
      this.#sample(split, count),
      batchTokens,
      this.#loaded.vocabularies,
    )) {
      yield () => {
        const made = batch();
        return {
          examples: indices.length,
          forward: (context) => this.loss(made, context),
          expected: (path) => expectedIn(path, made.source.lengths),
          delimiters: () => delimitersIn(made.source.ids, (id) => id === words.eos || isSeparator(words.symbol(id))),
        };
      };
    }
  }

  answer(input: string, { attention = false }: AnswerOptions = {}): Answer {
    const words = this.#loaded.split(input);
    const { context } = this.#config;
    const ids = encodeText(words, this.#loaded.vocabularies, context);
    const [probabilities = []] = this.#probabilities([ids]);
    const best = bestOf(probabilities);
    const cut = words.length > context - 1;
    const known = this.#known(input);
    const pictures: readonly AttentionPicture[] = attention
      ? textPictures(this.#reader, ids, words.slice(0, context - 1))
      : [];
    return {
      input,
      output: this.#labels[best] as string,
      logProbability: Math.log(probabilities[best] as number),
      references: known ? [known.label] : [],
      ...(known?.support && { needed: neededOf(words, known.support) }),
      ...(cut && { notes: [`only the first ${context - 1} of ${words.length} words were read (context=${context})`] }),
      pictures,
    };
  }

  answers(inputs: readonly string[]): readonly string[] {
    const { vocabularies, split } = this.#loaded;
    const texts = inputs.map((input) => encodeText(split(input), vocabularies, this.#config.context));
    return this.#probabilities(texts).map((row) => this.#labels[bestOf(row)] as string);
  }

  get #reader(): Reader {
    return { model: this.model, vocabularies: this.#loaded.vocabularies };
  }

  get #labels(): readonly string[] {
    return this.#loaded.vocabularies.labels;
  }

  #examples(split: Split): readonly TextExample[] {
    const { name, parts } = this.#loaded;
    if (parts) return parts[split];
    throw new StateError(`${name}: expected the data, got a model opened without it`);
  }

  #sample(split: Split, count?: number): readonly TextExample[] {
    return sampleExamples(this.#examples(split), count, textOf);
  }

  /** The example that an input is, if it is one. */
  #known(input: string): TextExample | undefined {
    const { parts } = this.#loaded;
    return parts && [...parts.test, ...parts.validation, ...parts.train].find(({ text }) => text === input);
  }

  #judge(examples: readonly TextExample[]): readonly Judged[] {
    const judged: Judged[] = Array(examples.length);
    for (const { indices, batch } of heldOutBatches(examples, this.#config.batchTokens, this.#loaded.vocabularies)) {
      const found = this.#rows(() => batch().source, indices.length);
      indices.forEach((index, row) => {
        judged[index] = { target: (examples[index] as TextExample).target, probabilities: found[row] as Float32Array };
      });
    }
    return judged;
  }

  #probabilities(texts: readonly ArrayLike<number>[]): Float32Array[] {
    return this.#rows(() => sourceOf(texts, this.#loaded.vocabularies), texts.length);
  }

  /** Probabilities of the classes, text by text. */
  #rows(source: () => ReturnType<typeof sourceOf>, count: number): Float32Array[] {
    const values = noGrad(() => scope(() => softmax(this.model.forward(source(), inference()), 1).toArray())); // [B, C]
    const classes = this.#labels.length;
    return Array.from({ length: count }, (_, row) =>
      Float32Array.from(values).slice(row * classes, (row + 1) * classes),
    );
  }
}

/** A pooling asks once for the whole text. */
function expectedIn(path: string, lengths: readonly number[]): ExpectedAttention {
  const queryLengths = path === 'pool' ? lengths.map(() => 1) : lengths;
  return { causal: false, queryLengths, keyLengths: lengths };
}

/** The sentences with some numbers. */
function neededOf(words: readonly string[], support: readonly number[]): string[] {
  const spans = sentenceSpans(words);
  return support.map((sentence) => words.slice(...(spans[sentence] ?? [0, 0])).join(' '));
}

function textOf({ text }: TextExample): string {
  return text;
}
