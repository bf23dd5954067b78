/**
 * Every task that writes on where a text stops: decoder-only model, loss, perplexity, sampling. A task of this kind only
 * says where its text comes from; see novel.ts.
 */

import type { z } from 'zod';
import type { RecordOptions } from '../attention/options.js';
import { StateError, UsageError } from '../core/errors.js';
import { RandomStream } from '../core/random.js';
import type { AttentionPicture, CapturedAttention, HeadVectors } from '../core/records.js';
import type { Cursor } from '../data/batching.js';
import { CharacterTokenizer } from '../data/characterTokenizer.js';
import { readTokenizer } from '../data/readTokenizer.js';
import type { Split } from '../data/split.js';
import type { TextTokenizer } from '../data/textTokenizer.js';
import { neighbouringStarts, type Tokens } from '../data/windows.js';
import { RunningMean } from '../metrics/runningMean.js';
import { type GenerateOptions, generate, generateAll } from '../models/generate.js';
import { LanguageModel, type LanguageModelOptions } from '../models/languageModel.js';
import { capture } from '../nn/capture.js';
import { captureVectors } from '../nn/captureVectors.js';
import { type Context, inference } from '../nn/context.js';
import { tensor } from '../tensor/create.js';
import { crossEntropy } from '../tensor/crossEntropy.js';
import { noGrad } from '../tensor/recording.js';
import { mean } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import type { BatchLoss } from '../train/step.js';
import { delimitersIn, isSeparator } from './delimiters.js';
import { examine } from './examine.js';
import { chosenHead, type HeadChoice } from './headVectors.js';
import { picturesOf } from './pictures.js';
import type { Answer, AnswerOptions, Config, EvaluateOptions, OpenTask, Probe, Task } from './task.js';
import {
  type BatchSize,
  charactersIn,
  heldOutBatches,
  partOf,
  repeatedBatch,
  type TextBatch,
  type TextParts,
  trainingBatches,
} from './textData.js';

/** Keys that a language modelling configuration has at least. */
export interface LanguageConfig extends Omit<LanguageModelOptions, 'vocabulary'> {
  readonly seed: number;
  readonly batchTokens: number;
  readonly labelSmoothing: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly answerTokens: number;
  readonly answerSeed: number;
}

/** What makes a language modelling task. */
export interface LanguageDefinition<C extends LanguageConfig> {
  readonly name: string;
  readonly summary: string;
  readonly schema: z.ZodObject;
  readonly presets: Readonly<Record<string, Partial<C>>>;
  /** The text in ids; with a tokenizer, that of an earlier run is to be used. */
  load(config: C, tokenizer?: TextTokenizer): Promise<LoadedText>;
}

export interface LoadedText {
  readonly tokenizer: TextTokenizer;
  readonly parts: TextParts;
  readonly notices: readonly string[];
}

/** A task from its definition. */
export function languageTask<C extends LanguageConfig>(definition: LanguageDefinition<C>): Task {
  const { name, summary, schema, presets } = definition;
  return {
    ...{ name, summary, schema },
    presets: presets as Task['presets'],
    decides: { metric: 'loss', better: 'lower' },
    judgedOn: 'validation',
    answerKeys: ['temperature', 'topK', 'topP', 'answerTokens', 'answerSeed'],
    async open(config, stored) {
      const known = config as unknown as C;
      const { tokenizer, parts, notices } = await definition.load(known, stored && readTokenizer(stored.tokenizer));
      return new OpenLanguageTask(name, known, tokenizer, parts, notices);
    },
    reopen: (config, stored) => new OpenLanguageTask(name, config as unknown as C, readTokenizer(stored.tokenizer)),
  };
}

/** Windows whose attention is logged at every evaluation. */
const observed = 16;
const shownSamples = 5;
/** Tokens of a prompt taken from the held-out text. */
const promptTokens = 32;
/** Tokens that a picture of a report has at most: more would not fit beside others. */
const reportedTokens = 24;

/** Random texts, and tokens of the longest, that are written twice to see induction. */
const repeated = 16;
const longestPeriod = 32;

class OpenLanguageTask<C extends LanguageConfig> implements OpenTask<TextBatch> {
  readonly model: LanguageModel;
  readonly notices: readonly string[];
  readonly axes = { input: 'text', output: 'text' };
  readonly #name: string;
  readonly #config: C;
  readonly #tokenizer: TextTokenizer;
  readonly #parts: TextParts | undefined;

  constructor(name: string, config: C, tokenizer: TextTokenizer, parts?: TextParts, notices: readonly string[] = []) {
    this.#name = name;
    this.#config = config;
    this.#tokenizer = tokenizer;
    this.#parts = parts;
    this.notices = notices;
    this.model = new LanguageModel(
      { ...config, vocabulary: tokenizer.size },
      new RandomStream(config.seed).fork('model'),
    );
  }

  get vocabularies(): Config {
    return { tokenizer: this.#tokenizer.toJSON() };
  }

  /** Characters have no form that other programs know. */
  get files(): Readonly<Record<string, string>> {
    if (this.#tokenizer instanceof CharacterTokenizer) return {};
    return { 'tokenizer.json': `${JSON.stringify(this.#tokenizer)}\n` };
  }

  get samples(): readonly string[] {
    return this.inputs('validation', shownSamples);
  }

  inputs(split: Split, count: number): readonly string[] {
    const tokens = this.#part(split);
    const starts = neighbouringStarts(tokens, Math.min(promptTokens, tokens.length - 1), count);
    return starts.map((start) => this.#tokenizer.decode(tokens.subarray(start, start + promptTokens)));
  }

  rebuild(changes: Config = {}): OpenTask<TextBatch> {
    return new OpenLanguageTask(
      this.#name,
      { ...this.#config, ...changes },
      this.#tokenizer,
      this.#parts,
      this.notices,
    );
  }

  batches(from: Cursor): Iterator<{ readonly batch: TextBatch; readonly next: Cursor }> {
    return trainingBatches(this.#part('train'), this.#batchSize, this.#config.seed, from);
  }

  loss({ input, labels, tokens }: TextBatch, context: Context): BatchLoss {
    const logits = this.model.forward(input, context); // [B, L, V]
    return { loss: mean(crossEntropy(logits, labels, { smoothing: this.#config.labelSmoothing })), tokens };
  }

  evaluate(split: Split, { sample }: EvaluateOptions = {}): Record<string, number> {
    const loss = new RunningMean();
    let characters = 0;
    for (const next of heldOutBatches(this.#part(split), this.#batchSize, sample)) {
      noGrad(() =>
        scope(() => {
          const { input, labels, tokens } = next();
          loss.add(mean(crossEntropy(this.model.forward(input, inference()), labels)).item(), tokens);
          characters += charactersIn(labels.toArray(), this.#tokenizer);
        }),
      );
    }
    const bits = (loss.value * loss.weight) / Math.LN2;
    return { loss: loss.value, perplexity: Math.exp(loss.value), bitsPerCharacter: bits / characters };
  }

  observe(): readonly CapturedAttention[] {
    return examine(this.model, this.probes('validation', observed)).captured;
  }

  *probes(split: Split, count: number): Generator<() => Probe> {
    for (const next of heldOutBatches(this.#part(split), this.#batchSize, count)) {
      yield () => {
        const batch = next();
        return {
          examples: batch.input.shape[0] ?? 0,
          forward: (context) => this.loss(batch, context),
          expected: () => ({ causal: true }),
          delimiters: () => delimitersIn(batch.input, (id) => isSeparator(this.#tokenizer.decode([id]))),
        };
      };
    }
  }

  repeats(): { readonly period: number; readonly probe: () => Probe } {
    const period = Math.min(longestPeriod, Math.floor(this.#config.context / 2));
    const random = new RandomStream(this.#config.seed).fork('repeats');
    const half = (): number[] => Array.from({ length: period }, () => random.uint32() % this.#tokenizer.size);
    const texts = Array.from({ length: repeated }, half);
    const probe = (): Probe => ({
      examples: repeated,
      forward: (context) => this.loss(repeatedBatch(texts), context),
      expected: () => ({ causal: true }),
    });
    return { period, probe };
  }

  answer(input: string, { attention = false, picturedTokens = reportedTokens, onText }: AnswerOptions = {}): Answer {
    const prompt = this.#read(input);
    const random = this.#answerStream();
    const written: number[] = [];
    const textOf = this.#tokenizer.decoder();
    let logProbability = 0;
    for (const chosen of generate(this.model, prompt, { ...this.#sampling, random })) {
      written.push(chosen.token);
      logProbability += chosen.logProbability;
      onText?.(textOf(chosen.token));
    }
    const pictured = [...prompt, ...written].slice(0, Math.min(picturedTokens, this.#config.context));
    const pictures = attention ? this.#pictures(pictured) : [];
    return { input, output: this.#tokenizer.decode(written), logProbability, references: [], pictures };
  }

  answers(inputs: readonly string[]): readonly string[] {
    const prompts = inputs.map((input) => this.#read(input));
    const random = (): RandomStream => this.#answerStream();
    const written = generateAll(this.model, prompts, { ...this.#sampling, random });
    return written.map((tokens) => this.#tokenizer.decode(tokens));
  }

  tokensOf(input: string): number {
    return this.#read(input).length;
  }

  vectors(input: string, { bins, ...choice }: HeadChoice & { readonly bins?: number }): HeadVectors {
    const tokens = this.#read(input);
    const { context } = this.#config;
    if (tokens.length > context) {
      throw new UsageError(
        `${this.#name}: expected a text of at most context = ${context} tokens, got ${tokens.length}; cut it, or train with a longer context`,
      );
    }
    const rows = tokens.map((token) => this.#tokenizer.symbol(token));
    const options = {
      ...chosenHead(this.model, choice),
      ...(bins !== undefined && { bins: Math.min(bins, rows.length) }),
    };
    return noGrad(() =>
      scope(() => {
        const ids = tensor(Int32Array.from(tokens), [1, tokens.length]);
        const vectors = captureVectors(this.model, options, (inner) => this.model.forward(ids, inner));
        return { ...vectors, rows, columns: rows, causal: true };
      }),
    );
  }

  get #batchSize(): BatchSize {
    const { batchTokens, context } = this.#config;
    return { rows: Math.max(1, Math.floor(batchTokens / context)), length: context };
  }

  #part(split: Split): Tokens {
    if (this.#parts) return partOf(this.#parts, split);
    throw new StateError(`${this.#name}: expected the data, got a model opened without it`);
  }

  #read(input: string): readonly number[] {
    const ids = this.#tokenizer.encode(input);
    if (ids.length > 0) return [...ids];
    throw new UsageError(`${this.#name}: expected a text to go on from, got an empty one`);
  }

  get #sampling(): Omit<GenerateOptions, 'random'> {
    const { temperature, topK, topP, answerTokens } = this.#config;
    return { temperature, topK, topP, tokens: answerTokens };
  }

  /** The same for every answer, so that an input alone and in company is answered alike. */
  #answerStream(): RandomStream {
    return new RandomStream(this.#config.answerSeed).fork('answer');
  }

  #capture(tokens: ArrayLike<number>, record: RecordOptions): CapturedAttention[] {
    return noGrad(() =>
      scope(() => {
        const ids = tensor(Int32Array.from(tokens), [1, tokens.length]);
        return capture(this.model, { record }, (context) => this.model.forward(ids, context));
      }),
    );
  }

  #pictures(tokens: readonly number[]): AttentionPicture[] {
    const symbols = tokens.map((token) => this.#tokenizer.symbol(token));
    const axes = { rows: symbols, columns: symbols, causal: true };
    return this.#capture(tokens, { rows: 'all' }).flatMap((call) => picturesOf(call, axes));
  }
}
