/** The models of the training benchmark with synthetic batches: what a step is made of, whatever the task. */

import { RandomStream } from '../../core/random.js';
import { EncoderDecoder, type EncoderDecoderOptions } from '../../models/encoderDecoder.js';
import { LanguageModel, type LanguageModelOptions } from '../../models/languageModel.js';
import type { Context } from '../../nn/context.js';
import type { Module } from '../../nn/module.js';
import { resolveConfig } from '../../tasks/config.js';
import { findPreset, findTask } from '../../tasks/registry.js';
import { tensor } from '../../tensor/create.js';
import { crossEntropy } from '../../tensor/crossEntropy.js';
import { mean } from '../../tensor/reduce.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { BatchLoss } from '../../train/step.js';
import type { TrainCase } from './cases.js';

/** A model on the present backend, and the loss of a batch made anew. */
export interface TrainSubject {
  readonly shape: Readonly<Record<string, number>>;
  readonly model: Module;
  loss(context: Context): BatchLoss;
}

/** The subject of a case; with `rows`, so many sequences in a batch. */
export function subjectOf(it: TrainCase, rows?: number): TrainSubject {
  const task = findTask(it.task);
  const config = resolveConfig(task.name, task.schema, findPreset(task, it.preset), it.set);
  return it.task === 'g2p'
    ? sequences(config as unknown as EncoderDecoderOptions, rows ?? rowsOf(it.batchTokens, S + L))
    : texts(config as unknown as LanguageModelOptions, it.batchTokens, rows);
}

function rowsOf(tokens: number, length: number): number {
  return Math.max(1, Math.floor(tokens / length));
}

/** Letters of a word and sounds of its answer, endings included; about the mean of the dictionary. */
const [S, L] = [9, 8];
/** 29 letters and 39 sounds, with padding, beginning and end. */
const [sourceVocabulary, targetVocabulary] = [32, 42];

function sequences(config: EncoderDecoderOptions, B: number): TrainSubject {
  const model = new EncoderDecoder({ ...config, sourceVocabulary, targetVocabulary }, new RandomStream(1));
  const loss = (context: Context): BatchLoss => {
    const source = { ids: ids(B, S, sourceVocabulary), lengths: new Array<number>(B).fill(S) };
    const logits = model.forward(source, ids(B, L, targetVocabulary), context); // [B, L, V]
    const losses = crossEntropy(logits, ids(B, L, targetVocabulary), { smoothing: 0.1 });
    return { loss: mean(losses), tokens: B * L };
  };
  return { shape: { B, L, S, E: config.width }, model, loss };
}

/** Different characters of tiny Shakespeare. */
const characters = 65;

function texts(config: LanguageModelOptions, batchTokens: number, rows?: number): TrainSubject {
  const length = rows === undefined ? Math.min(config.context, batchTokens) : 16; // a few tokens do for a check
  const B = rows ?? rowsOf(batchTokens, length);
  const model = new LanguageModel({ ...config, vocabulary: characters }, new RandomStream(1));
  const loss = (context: Context): BatchLoss => {
    const logits = model.forward(ids(B, length, characters), context); // [B, L, V]
    return { loss: mean(crossEntropy(logits, ids(B, length, characters))), tokens: B * length };
  };
  return { shape: { B, L: length, E: config.width, V: characters }, model, loss };
}

/** Token ids [rows, columns], spread over the vocabulary. */
function ids(rows: number, columns: number, vocabulary: number): Tensor {
  const values = Int32Array.from({ length: rows * columns }, (_, index) => (index * 7 + 3) % vocabulary);
  return tensor(values, [rows, columns]);
}
