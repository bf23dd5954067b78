import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { inference } from '../nn/context.js';
import { EncoderBlock } from '../nn/encoderBlock.js';
import { setBackend, tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';
import { TextClassifier, type TextClassifierOptions } from './textClassifier.js';

setBackend(createReferenceBackend());

function classifier(options: Partial<TextClassifierOptions>): TextClassifier {
  const sizes = { vocabulary: 9, classes: 3, width: 8, heads: 2, hidden: 8, layers: 2, dropout: 0, context: 8 };
  const form = { mixer: 'multi', positions: 'sentences', window: 0 } as const;
  return new TextClassifier({ ...sizes, ...form, ...options }, new RandomStream(3));
}

/** Scores of a text of two sentences, the first of which holds `word`. */
function scores(model: TextClassifier, word: number): number[] {
  const row = (...numbers: number[]): Tensor => tensor(Int32Array.from(numbers), [1, 5]);
  const where = { places: row(0, 1, 0, 1, 2), sentences: row(1, 1, 0, 0, 0) };
  const source = { ids: row(word, 1, 4, 5, 2), lengths: [5], where };
  return Array.from(model.forward(source, inference()).toArray());
}

describe('TextClassifier', () => {
  it('reads each sentence by itself in as many blocks as asked for', () => {
    const [alone, one] = [classifier({ sentenceBlocks: 2 }), classifier({ sentenceBlocks: 1 })];
    expect(scores(alone, 6)).toEqual(scores(alone, 7)); // the last token never sees the first sentence
    expect(scores(one, 6)).not.toEqual(scores(one, 7));
  });

  it('starts with words that look at words like themselves, and with all else as without', () => {
    const [alike, usual] = [classifier({ startAlike: true }), classifier({})];
    for (const [index, block] of alike.blocks.entries()) {
      const other = usual.blocks[index];
      if (!(block instanceof EncoderBlock && other instanceof EncoderBlock)) throw new Error('expected encoder blocks');
      expect(block.attention.k.weight.toArray()).toEqual(block.attention.q.weight.toArray());
      expect(other.attention.k.weight.toArray()).not.toEqual(other.attention.q.weight.toArray());
      expect(block.attention.v.weight.toArray()).toEqual(other.attention.v.weight.toArray());
    }
    expect(alike.output.weight.toArray()).toEqual(usual.output.weight.toArray());
  });
});
