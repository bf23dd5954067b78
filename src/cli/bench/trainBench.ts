/**
 * Whole training steps of the task g2p on synthetic batches: forward, loss, backward, clipping, AdamW. Checked against
 * the reference on a batch of two words first.
 */

import type { Backend } from '../../backend/contract.js';
import { createReferenceBackend } from '../../backend/reference/createReferenceBackend.js';
import { StateError } from '../../core/errors.js';
import { RandomStream } from '../../core/random.js';
import { EncoderDecoder, type EncoderDecoderOptions } from '../../models/encoderDecoder.js';
import { resolveConfig } from '../../tasks/config.js';
import { g2p } from '../../tasks/g2p.js';
import { setBackend, tensor } from '../../tensor/create.js';
import { crossEntropy } from '../../tensor/crossEntropy.js';
import { mean } from '../../tensor/reduce.js';
import { scope } from '../../tensor/scope.js';
import { AdamW } from '../../train/adamw.js';
import { type StepResult, trainStep } from '../../train/step.js';
import type { TrainCase } from './cases.js';
import { type Machine, ratioOf } from './machine.js';
import { counting } from './operations.js';
import { type Timing, type TimingOptions, timeInTurns } from './timing.js';

/** What a training step came to. Null where the machine's limit is unknown. */
export interface TrainFigures extends TrainCase, Machine, Timing {
  readonly kind: 'train';
  readonly pass: 'step';
  readonly shape: { readonly B: number; readonly L: number; readonly S: number; readonly E: number };
  /** Target tokens learned from. */
  readonly tokensPerSecond: number;
  /** Of matmul and attention, over the time of the whole step. */
  readonly gflops: number;
  readonly peakRatio: number | null;
}

/** Letters of a word and sounds of its answer, endings included; about the mean of the dictionary. */
const [S, L] = [9, 8];
/** 29 letters and 39 sounds, with padding, beginning and end. */
const [sourceVocabulary, targetVocabulary] = [32, 42];
const tolerance = 1e-4;

/** Throws StateError when loss or gradient are wrong. */
export function benchTrain(backend: Backend, machine: Machine, it: TrainCase, options: TimingOptions): TrainFigures {
  check(backend, it);
  const B = Math.max(1, Math.floor(it.batchTokens / (S + L)));
  return scope(() => {
    const counted = counting(backend);
    const step = stepper(counted.backend, it, B);
    step();
    const operations = counted.operations();
    const [timing] = timeInTurns([step], options) as [Timing];
    const gflops = operations / timing.medianMs / 1e6;
    return {
      ...{ kind: 'train', pass: 'step', ...it, shape: { B, L, S, E: modelOptions(it).width }, ...machine },
      ...{ tokensPerSecond: (1000 * B * L) / timing.medianMs, gflops },
      ...{ peakRatio: ratioOf(gflops, machine.peakGflops), ...timing },
    };
  });
}

function modelOptions({ preset }: TrainCase): EncoderDecoderOptions {
  const config = resolveConfig(g2p.name, g2p.schema, g2p.presets[preset] as object);
  return { ...(config as unknown as EncoderDecoderOptions), sourceVocabulary, targetVocabulary };
}

/** One update at a time of a fresh model, the same on every backend. */
function stepper(backend: Backend, it: TrainCase, B: number): () => StepResult {
  setBackend(backend);
  const model = new EncoderDecoder(modelOptions(it), new RandomStream(1));
  const [optimiser, random] = [new AdamW(model), new RandomStream(2)];
  let step = 0;
  const batch = () => {
    const source = { ids: ids(B, S, sourceVocabulary), lengths: new Array<number>(B).fill(S) };
    return { source, input: ids(B, L, targetVocabulary), labels: ids(B, L, targetVocabulary) };
  };
  const loss = (
    { source, input, labels }: ReturnType<typeof batch>,
    context: { training: boolean; random: RandomStream },
  ) => {
    const logits = model.forward(source, input, context); // [B, L, V]
    return { loss: mean(crossEntropy(logits, labels, { smoothing: 0.1 })), tokens: B * L };
  };
  return () => trainStep([batch], { model, optimiser, loss, random, step: ++step, rate: 1e-4, clipNorm: 1 });
}

/** Token ids [rows, columns], spread over the vocabulary. */
function ids(rows: number, columns: number, vocabulary: number) {
  const values = Int32Array.from({ length: rows * columns }, (_, index) => (index * 7 + 3) % vocabulary);
  return tensor(values, [rows, columns]);
}

function check(backend: Backend, it: TrainCase): void {
  const [got, truth] = [backend, createReferenceBackend()].map((on) => scope(() => stepper(on, it, 2)())) as [
    StepResult,
    StepResult,
  ];
  for (const name of ['loss', 'norm'] as const) {
    if (Math.abs(got[name] - truth[name]) <= tolerance * truth[name]) continue;
    throw new StateError(`bench: expected ${name} of a step = ${truth[name]}, got ${got[name]}; nothing was timed`);
  }
}
