import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { capture } from '../nn/capture.js';
import { inference } from '../nn/context.js';
import { backward } from '../tensor/autograd.js';
import { setBackend, tensor, zeros } from '../tensor/create.js';
import { crossEntropy } from '../tensor/crossEntropy.js';
import { logSoftmax } from '../tensor/normalise.js';
import { adamwUpdate } from '../tensor/optimise.js';
import { mean } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { reshape } from '../tensor/views.js';
import { decode } from './decode.js';
import { EncoderDecoder, type TokenBatch } from './encoderDecoder.js';

const [pad, begin, end] = [0, 1, 2];
const sizes = {
  sourceVocabulary: 8,
  targetVocabulary: 8,
  width: 16,
  heads: 2,
  hidden: 32,
  encoderLayers: 1,
  decoderLayers: 2,
  dropout: 0,
  maxLength: 12,
};

function ids(rows: readonly (readonly number[])[]): Tensor {
  const width = Math.max(...rows.map((row) => row.length));
  return tensor(
    rows.flatMap((row) => [...row, ...Array<number>(width - row.length).fill(pad)]),
    [rows.length, width],
    { dtype: 'i32' },
  );
}

function batchOf(rows: readonly (readonly number[])[]): TokenBatch {
  return { ids: ids(rows), lengths: rows.map((row) => row.length) };
}

/** Teaches the model to write its source backwards. */
function trainToReverse(model: EncoderDecoder, steps: number, random: RandomStream): number {
  const parameters = [...model.parameters().values()];
  const moments = parameters.map(({ shape }) => [zeros(shape), zeros(shape)] as const);
  let last = 0;
  for (let step = 1; step <= steps; step++) {
    last = scope(() => {
      const rows = Array.from({ length: 16 }, () =>
        Array.from({ length: 2 + random.integer(3) }, () => 3 + random.integer(5)),
      );
      const reversed = rows.map((row) => [...row].reverse());
      const logits = model.forward(batchOf(rows), ids(reversed.map((row) => [begin, ...row])), {
        training: true,
        random,
      });
      const target = ids(reversed.map((row) => [...row, end]));
      const loss = mean(crossEntropy(reshape(logits, [-1, 8]), reshape(target, [-1]), { ignore: pad }));
      backward(loss);
      parameters.forEach((parameter, index) => {
        const [m, v] = moments[index] as readonly [Tensor, Tensor];
        adamwUpdate(parameter, m, v, parameter.grad as Tensor, {
          rate: 5e-3,
          beta1: 0.9,
          beta2: 0.98,
          epsilon: 1e-9,
          decay: 0,
          step,
        });
        parameter.grad?.dispose();
        parameter.grad = undefined;
      });
      return loss.item();
    });
  }
  return last;
}

let model: EncoderDecoder;

beforeAll(() => {
  setBackend(createReferenceBackend());
  model = new EncoderDecoder(sizes, new RandomStream(3));
});

describe('EncoderDecoder', () => {
  it('names its parameters by their place in the tree', () => {
    const names = [...model.parameters().keys()];
    expect(names).toContain('encoder.blocks.0.attention.q.weight');
    expect(names).toContain('decoder.blocks.1.crossAttention.out.bias');
    expect(new Set(names).size).toBe(names.length);
    expect(model.parameterCount()).toBe([...model.parameters().values()].reduce((sum, { size }) => sum + size, 0));
  });

  it('learns to reverse, and cached decoding says what the full forward says', () => {
    expect(trainToReverse(model, 250, new RandomStream(5))).toBeLessThan(0.2);
    const sources = [
      [3, 4, 5, 6],
      [7, 3],
      [5, 5, 4],
    ];
    const answers = decode(model, batchOf(sources), inference(), { begin, end, maxLength: 10 });
    expect(answers.map(({ tokens }) => tokens)).toEqual(sources.map((row) => [...row].reverse()));
    answers.forEach(({ tokens, logProbability }, index) => {
      const logits = model.forward(batchOf([sources[index] as number[]]), ids([[begin, ...tokens]]), inference());
      const scores = logSoftmax(logits).toArray();
      const total = [...tokens, end].reduce(
        (sum, token, position) => sum + (scores[position * 8 + token] as number),
        0,
      );
      expect(logProbability).toBeCloseTo(total, 4);
    });
  });

  it('finds nothing worse with more beams, whatever the batch', () => {
    const untrained = new EncoderDecoder(sizes, new RandomStream(9));
    const sources = [
      [3, 4, 5],
      [6, 7],
      [4, 4, 4, 4],
    ];
    const search = (rows: number[][], beams: number) =>
      decode(untrained, batchOf(rows), inference(), { begin, end, maxLength: 6, beams });
    const [greedy, wide] = [search(sources, 1), search(sources, 8)];
    wide.forEach((answer, index) => {
      if (greedy[index]?.finished)
        expect(answer.logProbability).toBeGreaterThanOrEqual((greedy[index]?.logProbability as number) - 1e-5);
      const [alone] = search([sources[index] as number[]], 8);
      expect(alone?.tokens).toEqual(answer.tokens);
    });
  });

  it('captures only what is asked for, by path', () => {
    const run = (context: Parameters<typeof model.forward>[2]) =>
      model.forward(batchOf([[3, 4, 5]]), ids([[begin, 5, 4]]), context);
    const all = capture(model, { record: { rows: 'all' } }, run);
    expect(all.map(({ path, kind }) => `${path} ${kind}`)).toEqual([
      'encoder.blocks.0.attention self',
      'decoder.blocks.0.selfAttention self',
      'decoder.blocks.0.crossAttention cross',
      'decoder.blocks.1.selfAttention self',
      'decoder.blocks.1.crossAttention cross',
    ]);
    const sums = all[2]?.record.weights?.values.reduce((sum, weight) => sum + weight, 0) ?? 0;
    expect(sums).toBeCloseTo(2 * 3, 4); // two heads, three rows that sum to one
    const one = capture(model, { paths: ['decoder.blocks.1.crossAttention'] }, run);
    expect(one).toHaveLength(1);
    expect(one[0]?.record.weights).toBeUndefined();
    expect(() => capture(model, { paths: ['decoder.blocks.9'] }, run)).toThrow(/got decoder.blocks.9/);
  });
});
