/**
 * What a task is: data, vocabulary, model, metrics and how to show one example. A definition is one file in this folder,
 * listed in registry.ts; training, evaluation, commands and reports work from this interface alone.
 */

import type { z } from 'zod';
import type { AttentionPicture, CapturedAttention, ExpectedAttention, HeadVectors } from '../core/records.js';
import type { Cursor } from '../data/batching.js';
import type { Split } from '../data/split.js';
import type { Context } from '../nn/context.js';
import type { Module } from '../nn/module.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Figures } from '../train/options.js';
import type { BatchLoss } from '../train/step.js';
import type { HeadChoice } from './headVectors.js';

/** A complete configuration, as run.json holds it. */
export type Config = Readonly<Record<string, unknown>>;

/** One example shown: what went in, what came out, and what attention did meanwhile. */
export interface Answer {
  readonly input: string;
  readonly output: string;
  /** Natural logarithm of the probability that the model gives its output. */
  readonly logProbability: number;
  /** Known right answers; empty when there are none. */
  readonly references: readonly string[];
  /** Parts of the input that the answer needs, where that is known. */
  readonly needed?: readonly string[];
  /** What the model did not see of the input, one line each. */
  readonly notes?: readonly string[];
  /** Every head of every attention module; empty unless asked for. */
  readonly pictures: readonly AttentionPicture[];
}

/** Figures that are more than one number: a confusion matrix, accuracy by group, a baseline. */
export interface FigureTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface EvaluateOptions {
  /** Use only this many examples, the same ones every time. Default all. */
  readonly sample?: number;
  /** Hypotheses kept while decoding; 1 is greedy. Default 1. */
  readonly beams?: number;
}

export interface AnswerOptions {
  readonly beams?: number;
  /** Called with every piece of the output as soon as it is there, by tasks that write their output bit by bit. */
  readonly onText?: (piece: string) => void;
  /** Also return what attention did. Default false. */
  readonly attention?: boolean;
  /** Tokens that a picture has at most, in tasks whose texts may be long. Default 24. */
  readonly picturedTokens?: number;
}

/** Some examples in one batch, as the doctor looks at them. */
export interface Probe {
  readonly examples: number;
  /** Forward pass and loss. */
  forward(context: Context): BatchLoss;
  /** What ought to hold in the attention module at this path. */
  expected(path: string): ExpectedAttention;
  /** Which keys of that module separate, not mean: marks of beginning and end, punctuation, space. u8 [B, S]. */
  delimiters?(path: string): Tensor;
}

/** A task with its configuration applied and its model built. */
export interface OpenTask<Batch = unknown> {
  readonly model: Module;
  /** Kept with a run so that it can be opened again without the data. */
  readonly vocabularies: Config;
  /** Further files for the run folder, by name, for other programs: `tokenizer.json`. */
  readonly files?: Readonly<Record<string, string>>;
  /** What was left out of the data and why, one line each. */
  readonly notices: readonly string[];
  /** Names of the two axes of a picture. */
  readonly axes: { readonly input: string; readonly output: string };
  /** Held-out inputs worth showing. */
  readonly samples: readonly string[];
  /** Training batches from a position on, for ever; each with the position after it. */
  batches(from: Cursor): Iterator<{ readonly batch: Batch; readonly next: Cursor }>;
  loss(batch: Batch, context: Context): BatchLoss;
  /** Figures on held-out data: `loss`, and the metrics of the task. */
  evaluate(split: Split, options?: EvaluateOptions): Figures;
  /** Figures on held-out data that take a table, baselines among them. */
  tables?(split: Split): readonly FigureTable[];
  /** What attention does on fixed held-out examples, for the log. */
  observe(): readonly CapturedAttention[];
  /** The same `count` examples every time, in batches, each made when it is called for, in the caller's scope. */
  probes(split: Split, count: number): Iterable<() => Probe>;
  /** Random texts of `period` tokens, each written twice, which show induction; absent in tasks that do not write on. */
  repeats?(): { readonly period: number; readonly probe: () => Probe };
  /** One input through the model. Errors: UsageError for an input that the model cannot read. */
  answer(input: string, options?: AnswerOptions): Answer;
  /** Tokens of a text that is read as it is, in tasks whose texts may be long. */
  tokensOf?(input: string): number;
  /** One head's queries and keys over a text, without an answer; with `bins`, its pooled pattern. Errors: UsageError. */
  vectors?(input: string, choice: HeadChoice & { readonly bins?: number }): HeadVectors;
  /** The outputs of several inputs in one batch, for measuring throughput; absent in tasks that have no batches. */
  answers?(inputs: readonly string[], options?: Pick<AnswerOptions, 'beams'>): readonly string[];
  /** Some held-out inputs, for measuring latency. */
  inputs(split: Split, count: number): readonly string[];
  /** The same data and vocabularies with a fresh model, on the present backend, with some keys changed. */
  rebuild(changes?: Config): OpenTask<Batch>;
}

/** A kind of job: everything that is known before data is loaded. */
export interface Task {
  readonly name: string;
  readonly summary: string;
  /** Every key with its meaning and, where it has one, its default. */
  readonly schema: z.ZodObject;
  readonly presets: Readonly<Record<string, Config>>;
  /** Figure that decides which weights are best, and its direction. */
  readonly decides: { readonly metric: string; readonly better: 'lower' | 'higher' };
  /** Part of the data that the final figures are taken on. */
  readonly judgedOn: Split;
  /** Keys that `keyhole run --set` may change on a trained model, because they only shape the answer. */
  readonly answerKeys: readonly string[];
  /** Loads the data and builds the model; with `vocabularies` of an earlier run, its ids are used. */
  open(config: Config, vocabularies?: Config): Promise<OpenTask>;
  /** Builds the model of an earlier run from its vocabularies; what needs data is a StateError. */
  reopen(config: Config, vocabularies: Config): OpenTask;
}
