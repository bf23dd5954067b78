/**
 * A small language model that learns to repeat, and can be given every disease the doctor knows: masks that are
 * forgotten, skip connections left out. Healthy unless told otherwise.
 */

import { and, causal, keyPadding, type Mask } from '../../src/attention/mask.js';
import { RandomStream } from '../../src/core/random.js';
import { examinedRecords } from '../../src/monitor/doctor/examined.js';
import type { DoctorRecords } from '../../src/monitor/doctor/records.js';
import type { Context } from '../../src/nn/context.js';
import { Embedding } from '../../src/nn/embedding.js';
import { EncoderBlock } from '../../src/nn/encoderBlock.js';
import { LayerNorm } from '../../src/nn/layerNorm.js';
import { Linear } from '../../src/nn/linear.js';
import { Module } from '../../src/nn/module.js';
import { MultiHeadAttention } from '../../src/nn/multiHeadAttention.js';
import { LearnedPositions } from '../../src/nn/positions.js';
import { examine } from '../../src/tasks/examine.js';
import type { Probe } from '../../src/tasks/task.js';
import { tensor } from '../../src/tensor/create.js';
import { crossEntropy } from '../../src/tensor/crossEntropy.js';
import { mean } from '../../src/tensor/reduce.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { AdamW } from '../../src/train/adamw.js';
import { type BatchLoss, trainStep } from '../../src/train/step.js';

export const vocabulary = 12;
export const length = 12;
const width = 32;
export const heads = 4;

/** What the model is meant to be. */
export interface Build {
  /** An encoder: every token sees every other. */
  readonly bothWays?: boolean;
  /** Default 2. */
  readonly layers?: number;
}

export interface Faults extends Build {
  /** The causal mask is forgotten. */
  readonly seesFuture?: boolean;
  /** The padding mask is forgotten. */
  readonly seesPadding?: boolean;
  /** Blocks are attention alone. */
  readonly skipless?: boolean;
  /** Real lengths are given to the mask as 0 for the first example. */
  readonly emptyMask?: boolean;
  /** 1/√D is left out: queries are longer by √D. */
  readonly unscaled?: boolean;
}

/** Attention with nothing around it. */
class BareBlock extends Module {
  readonly attention: MultiHeadAttention;

  constructor(random: RandomStream) {
    super();
    this.attention = new MultiHeadAttention({ width, heads }, random);
  }

  forward(x: Tensor, context: Context, inputs: { readonly mask?: Mask }): Tensor {
    return this.attention.forward(x, context, inputs);
  }
}

export class Patient extends Module {
  readonly embedding: Embedding;
  readonly positions: LearnedPositions;
  readonly blocks: readonly (EncoderBlock | BareBlock)[];
  readonly norm = new LayerNorm(width);
  readonly output: Linear;
  readonly causal: boolean;
  readonly #faults: Faults;

  constructor(seed: number, faults: Faults = {}) {
    super();
    const random = new RandomStream(seed);
    this.#faults = faults;
    this.causal = !faults.bothWays;
    this.embedding = new Embedding(vocabulary, width, random);
    this.positions = new LearnedPositions(length, width, random);
    const block = (): EncoderBlock | BareBlock =>
      faults.skipless ? new BareBlock(random) : new EncoderBlock({ width, heads, hidden: 64, dropout: 0 }, random);
    this.blocks = Array.from({ length: faults.layers ?? 2 }, block);
    this.output = new Linear(width, vocabulary, random);
    if (faults.unscaled) for (const { attention } of this.blocks) scaleBy(attention.q.weight, Math.sqrt(width / heads));
  }

  forward(ids: Tensor, lengths: readonly number[], context: Context): Tensor {
    const { seesFuture, seesPadding, emptyMask } = this.#faults;
    const known = emptyMask ? lengths.map((real, b) => (b === 0 ? 0 : real)) : lengths;
    const masks = [...(seesFuture || !this.causal ? [] : [causal()]), ...(seesPadding ? [] : [keyPadding(known)])];
    let x = this.positions.forward(this.embedding.forward(ids));
    for (const block of this.blocks) x = block.forward(x, context, { mask: and(...masks) });
    return this.output.forward(this.norm.forward(x));
  }
}

interface Batch {
  readonly ids: Tensor;
  readonly labels: Tensor;
  readonly lengths: readonly number[];
}

/** Rows `<0> a b c d e a b c d e …`: after the first half every token can be known. Later rows are shorter. */
export function batchOf(random: RandomStream, rows: number): Batch {
  const [ids, labels, lengths]: [number[], number[], number[]] = [[], [], []];
  for (let row = 0; row < rows; row++) {
    const half = Array.from({ length: 6 }, () => 1 + (random.uint32() % (vocabulary - 1)));
    const text = [0, ...half, ...half].slice(0, length + 1);
    const real = row % 2 === 0 ? length : length - 3;
    ids.push(...text.slice(0, length).map((id, at) => (at < real ? id : 0)));
    labels.push(...text.slice(1).map((id, at) => (at < real ? id : -1)));
    lengths.push(real);
  }
  return {
    ids: tensor(Int32Array.from(ids), [rows, length]),
    labels: tensor(Int32Array.from(labels), [rows, length]),
    lengths,
  };
}

export function lossOf(model: Patient, { ids, labels, lengths }: Batch, context: Context): BatchLoss {
  return {
    loss: mean(crossEntropy(model.forward(ids, lengths, context), labels, { ignore: -1 })),
    tokens: labels.size,
  };
}

export interface Treatment {
  readonly steps: number;
  readonly rate: number;
  readonly warmup: number;
  /** Called before every step. */
  readonly each?: (step: number) => void;
}

export const careful: Treatment = { steps: 150, rate: 3e-3, warmup: 20 };

export function train(model: Patient, seed: number, { steps, rate, warmup, each }: Treatment): Patient {
  const random = new RandomStream(seed).fork('batches');
  const optimiser = new AdamW(model);
  for (let step = 1; step <= steps; step++) {
    each?.(step);
    const loss = (batch: Batch, context: Context): BatchLoss => lossOf(model, batch, context);
    const now = rate * Math.min(1, step / Math.max(1, warmup));
    trainStep([() => batchOf(random, 16)], { model, optimiser, loss, random, step, rate: now, clipNorm: 1e9 });
  }
  return model;
}

/** What the doctor sees of it. */
export function look(model: Patient, step = 1, seed = 99): DoctorRecords {
  const probes: (() => Probe)[] = Array.from({ length: 4 }, (_, at) => () => {
    const batch = batchOf(new RandomStream(seed).fork(`probe ${at}`), 64);
    return {
      examples: 64,
      forward: (context) => lossOf(model, batch, context),
      expected: () => ({ causal: model.causal, queryLengths: batch.lengths, keyLengths: batch.lengths }),
    };
  });
  return examinedRecords(examine(model, probes, { outputs: true }), step);
}

/** Rows of a weight [out, in] or bias [out] that belong to a head, changed in place. */
export function changeHead(
  parameter: Tensor,
  head: number,
  change: (value: number, row: number, values: ArrayLike<number>) => number,
): void {
  const perHead = parameter.size / heads;
  write(parameter, (value, at, values) =>
    Math.floor(at / perHead) === head ? change(value, at - head * perHead, values) : value,
  );
}

export function scaleBy(parameter: Tensor, factor: number): void {
  write(parameter, (value) => value * factor);
}

export function write(
  parameter: Tensor,
  change: (value: number, at: number, values: ArrayLike<number>) => number,
): void {
  const values = parameter.toArray();
  const changed = Float32Array.from(values, (value, at) => change(value, at, values));
  parameter.write(changed);
}
