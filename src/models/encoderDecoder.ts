/**
 * The encoder–decoder transformer: a sequence in, another one out. `forward` is for training, with the whole target
 * known; decoderSession.ts produces the target step by step.
 */

import { keyPadding, type Mask } from '../attention/mask.js';
import type { RandomStream } from '../core/random.js';
import type { Context } from '../nn/context.js';
import { DecoderBlock } from '../nn/decoderBlock.js';
import { Dropout } from '../nn/dropout.js';
import { Embedding } from '../nn/embedding.js';
import { type BlockOptions, EncoderBlock } from '../nn/encoderBlock.js';
import { LayerNorm } from '../nn/layerNorm.js';
import { Linear } from '../nn/linear.js';
import { Module } from '../nn/module.js';
import { type Positions, SinusoidalPositions } from '../nn/positions.js';
import { keepAll, type RunBlock, recompute } from '../nn/recompute.js';
import { depthRate } from '../nn/residual.js';
import { affine } from '../tensor/elementwise.js';
import type { Tensor } from '../tensor/tensor.js';

export interface EncoderDecoderOptions extends BlockOptions {
  /** Number of source and target token ids. */
  readonly sourceVocabulary: number;
  readonly targetVocabulary: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  /** Longest source or target, in tokens. */
  readonly maxLength: number;
  /** Keep only the inputs of each block for backward and compute the rest again. Default false. */
  readonly recompute?: boolean;
}

/** Padded token ids: `ids` i32 [B, S], of which the first `lengths[b]` of row b are real. */
export interface TokenBatch {
  readonly ids: Tensor;
  readonly lengths: readonly number[];
}

/** What the encoder made of the source: states [B, S, E] and which positions are real. */
export interface Memory {
  readonly states: Tensor;
  readonly mask: Mask;
}

/** Tokens to vectors: `sqrt(E) · embedding + position`, with dropout. */
class TokenInput extends Module {
  readonly embedding: Embedding;
  readonly positions: Positions;
  readonly dropout: Dropout;
  readonly #scale: number;

  constructor(vocabulary: number, { width, maxLength, dropout }: EncoderDecoderOptions, random: RandomStream) {
    super();
    this.embedding = new Embedding(vocabulary, width, random);
    this.positions = new SinusoidalPositions(maxLength, width);
    this.dropout = new Dropout(dropout);
    this.#scale = Math.sqrt(width);
  }

  forward(ids: Tensor, context: Context, start = 0): Tensor {
    const embedded = affine(this.embedding.forward(ids), this.#scale, 0); // [B, L, E]
    return this.dropout.forward(this.positions.forward(embedded, start), context);
  }
}

/** Blocks of one stack, each with its own rate of stochastic depth. */
function blocksOf<Block>(layers: number, options: BlockOptions, make: (options: BlockOptions) => Block): Block[] {
  const { stochasticDepth = 0 } = options;
  return Array.from({ length: layers }, (_, index) =>
    make({ ...options, stochasticDepth: depthRate(stochasticDepth, index, layers) }),
  );
}

/** Self-attention over the source. */
export class Encoder extends Module {
  readonly input: TokenInput;
  readonly blocks: readonly EncoderBlock[];
  readonly norm: LayerNorm;
  readonly #run: RunBlock;

  constructor(options: EncoderDecoderOptions, random: RandomStream) {
    super();
    this.input = new TokenInput(options.sourceVocabulary, options, random);
    this.#run = options.recompute ? recompute : keepAll;
    this.blocks = blocksOf(options.encoderLayers, options, (sizes) => new EncoderBlock(sizes, random));
    this.norm = new LayerNorm(options.width);
  }

  forward(source: TokenBatch, context: Context): Memory {
    const mask = keyPadding(source.lengths);
    let x = this.input.forward(source.ids, context); // [B, S, E]
    for (const block of this.blocks) {
      x = this.#run(block, [x], context, ([input], inner) => block.forward(input as Tensor, inner, { mask }));
    }
    return { states: this.norm.forward(x), mask };
  }
}

/** Causal self-attention over the target and cross-attention to the memory. */
export class Decoder extends Module {
  readonly input: TokenInput;
  readonly blocks: readonly DecoderBlock[];
  readonly norm: LayerNorm;
  readonly output: Linear;
  readonly #run: RunBlock;

  constructor(options: EncoderDecoderOptions, random: RandomStream) {
    super();
    this.input = new TokenInput(options.targetVocabulary, options, random);
    this.#run = options.recompute ? recompute : keepAll;
    this.blocks = blocksOf(options.decoderLayers, options, (sizes) => new DecoderBlock(sizes, random));
    this.norm = new LayerNorm(options.width);
    this.output = new Linear(options.width, options.targetVocabulary, random);
  }

  /** Target ids [B, L] → logits [B, L, V]; padding after a target needs no mask, causality hides it. */
  forward(ids: Tensor, { states, mask }: Memory, context: Context): Tensor {
    let x = this.input.forward(ids, context); // [B, L, E]
    for (const block of this.blocks) {
      x = this.#run(block, [x, states], context, ([input, memory], inner) =>
        block.forward(input as Tensor, inner, { memory: memory as Tensor, memoryMask: mask }),
      );
    }
    return this.output.forward(this.norm.forward(x));
  }
}

/**
 * Encoder and decoder (Vaswani et al. 2017), pre-norm, sinusoidal positions.
 *
 * Shapes: source ids [B, S], target ids [B, L] → logits [B, L, V]; row i holds the scores of the token after target i.
 */
export class EncoderDecoder extends Module {
  readonly encoder: Encoder;
  readonly decoder: Decoder;

  constructor(options: EncoderDecoderOptions, random: RandomStream) {
    super();
    this.encoder = new Encoder(options, random);
    this.decoder = new Decoder(options, random);
  }

  forward(source: TokenBatch, target: Tensor, context: Context): Tensor {
    return this.decoder.forward(target, this.encoder.forward(source, context), context);
  }
}
