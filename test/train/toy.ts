/** A model of 100 weights with everything that training must handle: an embedding, dropout, a norm, uneven batches. */

import { RandomStream } from '../../src/core/random.js';
import type { Cursor } from '../../src/data/batching.js';
import type { Context } from '../../src/nn/context.js';
import { Dropout } from '../../src/nn/dropout.js';
import { Embedding } from '../../src/nn/embedding.js';
import { LayerNorm } from '../../src/nn/layerNorm.js';
import { Linear } from '../../src/nn/linear.js';
import { Module } from '../../src/nn/module.js';
import { tensor } from '../../src/tensor/create.js';
import { crossEntropy } from '../../src/tensor/crossEntropy.js';
import { mean } from '../../src/tensor/reduce.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { TrainOptions } from '../../src/train/options.js';

/** Tells the class of a token. */
export class Toy extends Module {
  readonly table: Embedding;
  readonly dropout = new Dropout(0.2);
  readonly norm = new LayerNorm(6);
  readonly output: Linear;

  constructor(random = new RandomStream(1)) {
    super();
    this.table = new Embedding(10, 6, random);
    this.output = new Linear(6, 3, random);
  }

  forward(ids: Tensor, context: Context): Tensor {
    return this.output.forward(this.norm.forward(this.dropout.forward(this.table.forward(ids), context)));
  }
}

export type Batch = readonly number[];
/** Batches of 1 to 7 tokens; the position is the number of the batch. */
export function* batches(from: Cursor): Generator<{ batch: Batch; next: Cursor }> {
  for (let at = from.index; ; at++) {
    const random = new RandomStream(at);
    yield {
      batch: Array.from({ length: 1 + random.integer(7) }, () => random.integer(10)),
      next: { epoch: 0, index: at + 1 },
    };
  }
}

export function lossOf(model: Toy): TrainOptions<Batch>['loss'] {
  return (batch, context) => {
    const targets = batch.map((id) => id % 3);
    const logits = model.forward(tensor(batch, [batch.length], { dtype: 'i32' }), context);
    const loss = mean(crossEntropy(logits, tensor(targets, [targets.length], { dtype: 'i32' })));
    return { loss, tokens: batch.length };
  };
}
