/**
 * A text in, one score a class out. How words come to know of each other is an option (`mixer`), so that self-attention
 * and what came before it can be compared with everything else alike.
 */

import { and, keyPadding, type Mask, slidingWindow } from '../attention/mask.js';
import { ShapeError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';
import type { Context } from '../nn/context.js';
import { Dropout } from '../nn/dropout.js';
import { Embedding } from '../nn/embedding.js';
import { EncoderBlock } from '../nn/encoderBlock.js';
import { FeedForwardBlock } from '../nn/feedForwardBlock.js';
import { LayerNorm } from '../nn/layerNorm.js';
import { Linear } from '../nn/linear.js';
import { Module } from '../nn/module.js';
import { Pooling } from '../nn/pooling.js';
import { LearnedPositions, type Positions, SinusoidalPositions } from '../nn/positions.js';
import { ownSentence, type SentencePlaces, SentencePositions } from '../nn/sentencePositions.js';
import { startAlike } from '../nn/startAlike.js';
import { AdditiveAttention } from '../nn/wordAttention.js';
import { affine } from '../tensor/elementwise.js';
import type { Tensor } from '../tensor/tensor.js';
import type { TokenBatch } from './encoderDecoder.js';

/**
 * How the words of a text come together: their mean; their maximum, feature by feature; one learned distribution over
 * them; self-attention with one head; with several.
 */
export const mixers = ['mean', 'max', 'word', 'single', 'multi'] as const;
export type Mixer = (typeof mixers)[number];

export const positionKinds = ['none', 'sinusoidal', 'learned', 'sentences'] as const;
export type PositionKind = (typeof positionKinds)[number];

export interface TextClassifierOptions {
  readonly vocabulary: number;
  readonly classes: number;
  readonly width: number;
  /** Attention heads; used by the mixer `multi` alone. */
  readonly heads: number;
  readonly hidden: number;
  readonly layers: number;
  readonly dropout: number;
  /** Longest text in tokens. */
  readonly context: number;
  readonly mixer: Mixer;
  readonly positions: PositionKind;
  /** Self-attention reaches so many words to either side; 0 = all. */
  readonly window: number;
  /** So many of the first blocks read each sentence by itself; used by self-attention alone. Default 0. */
  readonly sentenceBlocks?: number;
  /** Self-attention starts by looking at what is alike; see ../nn/startAlike.ts. Default false. */
  readonly startAlike?: boolean;
}

type AnyPositions = Positions | SentencePositions | undefined;

/** A batch of texts; where words stand in their sentences is needed by the positions `sentences` and by `sentenceBlocks`. */
export interface TextSource extends TokenBatch {
  readonly where?: SentencePlaces;
}

/**
 * `Linear(pool(norm(blocks(sqrt(E)·embedding + position))))`.
 *
 * Self-attention uses encoder blocks and reads the last token, which has looked at all others. The others use blocks of
 * equal size that see one word at a time, and bring the words together at the end.
 *
 * Shapes: ids i32 [B, L] → logits [B, C]. The last token of a text should be the same in all, such as `<eos>`.
 */
export class TextClassifier extends Module {
  readonly embedding: Embedding;
  readonly positions: AnyPositions;
  readonly dropout: Dropout;
  readonly blocks: readonly (EncoderBlock | FeedForwardBlock)[];
  readonly norm: LayerNorm;
  readonly pool: Pooling | AdditiveAttention;
  readonly output: Linear;
  readonly #scale: number;
  readonly #window: Mask;
  readonly #sentenceBlocks: number;

  constructor(options: TextClassifierOptions, random: RandomStream) {
    super();
    const { vocabulary, classes, width, layers, dropout, window, sentenceBlocks = 0 } = options;
    this.embedding = new Embedding(vocabulary, width, random);
    this.positions = positionsOf(options, random);
    this.dropout = new Dropout(dropout);
    this.blocks = Array.from({ length: layers }, () => blockOf(options, random));
    if (options.startAlike ?? false) {
      for (const block of this.blocks) if (block instanceof EncoderBlock) startAlike(block.attention);
    }
    this.norm = new LayerNorm(width);
    this.pool = poolOf(options, random);
    this.output = new Linear(width, classes, random);
    this.#scale = Math.sqrt(width);
    this.#window = window > 0 ? slidingWindow({ left: window, right: window }) : slidingWindow({});
    this.#sentenceBlocks = sentenceBlocks;
  }

  forward({ ids, lengths, where }: TextSource, context: Context): Tensor {
    const embedded = affine(this.embedding.forward(ids), this.#scale, 0); // [B, L, E]
    let x = this.dropout.forward(this.#placed(embedded, where), context);
    const mask = and(keyPadding(lengths), this.#window);
    const within = this.#sentenceBlocks > 0 ? and(mask, ownSentence(this.#needed(where).sentences)) : mask;
    for (const [at, block] of this.blocks.entries()) {
      const reach = at < this.#sentenceBlocks ? within : mask;
      x = block instanceof EncoderBlock ? block.forward(x, context, { mask: reach }) : block.forward(x, context);
    }
    const text = this.pool.forward(this.norm.forward(x), context, { lengths }); // [B, E]
    return this.output.forward(text); // [B, C]
  }

  #placed(x: Tensor, where: SentencePlaces | undefined): Tensor {
    if (!(this.positions instanceof SentencePositions)) return this.positions?.forward(x) ?? x;
    return this.positions.forward(x, this.#needed(where));
  }

  #needed(where: SentencePlaces | undefined): SentencePlaces {
    if (where) return where;
    throw new ShapeError('TextClassifier: expected places of the words in their sentences, got none');
  }
}

function positionsOf({ positions, context, width }: TextClassifierOptions, random: RandomStream): AnyPositions {
  switch (positions) {
    case 'none':
      return undefined;
    case 'sinusoidal':
      return new SinusoidalPositions(context, width);
    case 'learned':
      return new LearnedPositions(context, width, random);
    case 'sentences':
      return new SentencePositions(width, random);
  }
}

function blockOf(options: TextClassifierOptions, random: RandomStream): EncoderBlock | FeedForwardBlock {
  const { mixer, hidden, width } = options;
  if (mixer === 'multi') return new EncoderBlock(options, random);
  if (mixer === 'single') return new EncoderBlock({ ...options, heads: 1 }, random);
  return new FeedForwardBlock({ ...options, hidden: hidden + 2 * width }, random);
}

function poolOf({ mixer, width }: TextClassifierOptions, random: RandomStream): Pooling | AdditiveAttention {
  switch (mixer) {
    case 'mean':
    case 'max':
      return new Pooling(mixer);
    case 'word':
      return new AdditiveAttention({ width }, random);
    case 'single':
    case 'multi':
      return new Pooling('last');
  }
}
