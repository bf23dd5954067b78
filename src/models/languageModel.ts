/**
 * The decoder-only transformer: every token is predicted from those before it. `forward` is for training, with the
 * whole text known; textSession.ts writes it token by token.
 */

import type { AttentionCache } from '../attention/attentionCache.js';
import { causal } from '../attention/mask.js';
import type { RandomStream } from '../core/random.js';
import type { Context } from '../nn/context.js';
import { Dropout } from '../nn/dropout.js';
import { Embedding } from '../nn/embedding.js';
import { type BlockOptions, EncoderBlock } from '../nn/encoderBlock.js';
import { drawNormal } from '../nn/initialise.js';
import { LayerNorm } from '../nn/layerNorm.js';
import { Linear } from '../nn/linear.js';
import { Module } from '../nn/module.js';
import { LearnedPositions } from '../nn/positions.js';
import { keepAll, type RunBlock, recompute } from '../nn/recompute.js';
import { depthRate } from '../nn/residual.js';
import { linear } from '../tensor/linearAlgebra.js';
import type { Tensor } from '../tensor/tensor.js';

export interface LanguageModelOptions extends BlockOptions {
  /** Number of token ids V. */
  readonly vocabulary: number;
  readonly layers: number;
  /** Longest text that the model sees at once, in tokens. */
  readonly context: number;
  /** The output projection is the embedding table (Press and Wolf 2017). Default true. */
  readonly tied?: boolean;
  /** Keep only the input of each block for backward and compute the rest again (Chen et al. 2016). Default false. */
  readonly recompute?: boolean;
}

/** Deviation of every weight matrix at the start (GPT-2: Radford et al. 2019). */
const deviation = 0.02;

/** What a token-by-token pass needs: how many tokens came before, and their keys and values by block. */
export interface Past {
  readonly length: number;
  readonly caches: readonly AttentionCache[];
}

/**
 * GPT (Radford et al. 2019): learned positions, pre-norm blocks with causal attention, a norm before the output. The
 * projections that end a branch start smaller by `sqrt(2 · layers)`.
 *
 * Shapes: ids i32 [B, L] → logits [B, L, V]; row i holds the scores of token i + 1.
 */
export class LanguageModel extends Module {
  readonly embedding: Embedding;
  readonly positions: LearnedPositions;
  readonly dropout: Dropout;
  readonly blocks: readonly EncoderBlock[];
  readonly norm: LayerNorm;
  /** Undefined when the embedding table does its work. */
  readonly output: Linear | undefined;
  /** Longest text in tokens. */
  readonly context: number;
  readonly #run: RunBlock;

  constructor(options: LanguageModelOptions, random: RandomStream) {
    super();
    const { vocabulary, width, context, layers, dropout, stochasticDepth = 0, bias = true, tied = true } = options;
    this.context = context;
    this.#run = options.recompute ? recompute : keepAll;
    this.embedding = new Embedding(vocabulary, width, random);
    this.positions = new LearnedPositions(context, width, random);
    this.dropout = new Dropout(dropout);
    this.blocks = Array.from(
      { length: layers },
      (_, index) =>
        new EncoderBlock({ ...options, stochasticDepth: depthRate(stochasticDepth, index, layers) }, random),
    );
    this.norm = new LayerNorm(width, { bias });
    this.output = tied ? undefined : new Linear(width, vocabulary, random, { bias: false });
    this.#initialise(layers, random);
  }

  forward(ids: Tensor, context: Context, past?: Past): Tensor {
    let x = this.positions.forward(this.embedding.forward(ids), past?.length); // [B, L, E]
    x = this.dropout.forward(x, context);
    for (const [index, block] of this.blocks.entries()) {
      const inputs = { mask: causal(), cache: past?.caches[index] };
      x = this.#run(block, [x], context, ([input], inner) => block.forward(input as Tensor, inner, inputs));
    }
    const normed = this.norm.forward(x);
    return this.output?.forward(normed) ?? linear(normed, this.embedding.weight); // [B, L, V]
  }

  #initialise(layers: number, random: RandomStream): void {
    for (const [path, module] of this.modules()) {
      const endsBranch = /\.(attention\.out|feedForward\.contract)$/.test(path);
      if (module instanceof Linear || module instanceof Embedding) {
        drawNormal(module.weight, endsBranch ? deviation / Math.sqrt(2 * layers) : deviation, random);
      }
    }
  }
}
