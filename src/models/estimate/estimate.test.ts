/** The estimate against models that are built: parameters and operations exactly, memory to 15 %, on a counting backend. */

import { beforeAll, describe, expect, it } from 'vitest';
import { createMeasuringBackend } from '../../backend/measuring.js';
import { createReferenceBackend } from '../../backend/reference/index.js';
import { createProblem, problemOperations } from '../../cli/bench/attentionProblem.js';
import type { MaskKind } from '../../cli/bench/cases.js';
import { counting } from '../../cli/bench/operations.js';
import { RandomStream } from '../../core/random.js';
import { inference } from '../../nn/context.js';
import { setBackend, tensor } from '../../tensor/create.js';
import { crossEntropy } from '../../tensor/crossEntropy.js';
import { noGrad } from '../../tensor/recording.js';
import { mean } from '../../tensor/reduce.js';
import { scope } from '../../tensor/scope.js';
import type { Tensor } from '../../tensor/tensor.js';
import { AdamW } from '../../train/adamw.js';
import { trainStep } from '../../train/step.js';
import { Encoder } from '../encoderDecoder.js';
import { LanguageModel } from '../languageModel.js';
import { compareMechanisms, estimate } from './estimate.js';
import { findMechanism } from './mechanisms.js';
import { countOperations } from './operations.js';
import { checkPlan, type ModelPlan } from './plan.js';

const plan = { layers: 2, heads: 4, keyValueHeads: 2, width: 48, hidden: 160, vocabulary: 90, length: 40, batch: 8 };

/** Forward as a whole model runs it: scores of a language model, states of an encoder. */
function build(sizes: ModelPlan): { model: LanguageModel | Encoder; forward: (training: boolean) => Tensor } {
  const { layers, length, batch, bidirectional, vocabulary = 0, hidden = 4 * sizes.width } = sizes;
  const options = { ...sizes, hidden, vocabulary, keyValueHeads: sizes.keyValueHeads ?? sizes.heads };
  const common = { ...options, dropout: sizes.dropout ? 0.1 : 0, context: length, maxLength: length };
  const random = new RandomStream(1);
  const ids = (): Tensor => tensor(new Int32Array(batch * length), [batch, length]);
  const context = (training: boolean) => ({ ...inference(), training });
  if (!bidirectional) {
    const model = new LanguageModel(common, random);
    return { model, forward: (training) => model.forward(ids(), context(training)) };
  }
  const sides = { sourceVocabulary: vocabulary, targetVocabulary: 1, encoderLayers: layers, decoderLayers: 1 };
  const model = new Encoder({ ...common, ...sides }, random);
  const lengths = new Array<number>(batch).fill(length);
  return { model, forward: (training) => model.forward({ ids: ids(), lengths }, context(training)).states };
}

/** Parameters, operations and bytes at the fullest moment, of the second step where it trains. */
function count(sizes: ModelPlan): { parameters: number; operations: number; bytes: number } {
  const counter = createMeasuringBackend();
  const { backend, operations } = counting(counter);
  setBackend(backend);
  const { model, forward } = build(sizes);
  if (sizes.train) train(sizes, model, forward);
  else noGrad(() => scope(() => void forward(false)));
  const steps = sizes.train ? 2 : 1;
  return { parameters: model.parameterCount(), operations: operations() / steps, bytes: counter.peakBytes };
}

function train(
  { batch, length, bidirectional }: ModelPlan,
  model: LanguageModel | Encoder,
  forward: (training: boolean) => Tensor,
): void {
  const common = { model, optimiser: new AdamW(model), random: new RandomStream(2), rate: 1e-4, clipNorm: 1 };
  const lossOf = (out: Tensor): Tensor =>
    mean(bidirectional ? out : crossEntropy(out, tensor(new Int32Array(batch * length), [batch, length])));
  for (let step = 1; step <= 2; step++)
    trainStep([() => undefined], {
      ...common,
      step,
      loss: () => ({ loss: lossOf(forward(true)), tokens: batch * length }),
    });
}

beforeAll(() => setBackend(createReferenceBackend()));

describe('estimate', () => {
  const plans: Readonly<Record<string, ModelPlan>> = {
    'a language model': plan,
    'one that is trained': { ...plan, train: true },
    'one with dropout': { ...plan, train: true, dropout: true },
    'one with one key/value head, and many words': { ...plan, keyValueHeads: 1, vocabulary: 3000, train: true },
    'a narrow and long one': {
      layers: 3,
      heads: 2,
      width: 20,
      hidden: 30,
      vocabulary: 17,
      length: 200,
      batch: 2,
      train: true,
    },
    'an encoder': { ...plan, bidirectional: true },
    'an encoder that is trained': { ...plan, bidirectional: true, train: true },
  };

  it.each(Object.entries(plans))('of %s counts what the model takes', (_name, sizes) => {
    const counted = count(sizes);
    const { parameters, operations, memory } = estimate(sizes);
    expect(parameters).toBe(counted.parameters);
    expect(operations).toBe(counted.operations);
    expect(memory.total / counted.bytes).toBeGreaterThan(0.85);
    expect(memory.total / counted.bytes).toBeLessThan(1.15);
  });

  it.each<[string, MaskKind]>([
    ['full', 'dense'],
    ['causal', 'causal'],
    ['window:69', 'window:70'], // the bench counts the query's own key
  ])('counts the attention of %s as the bench does', (name, kind) => {
    const sizes = checkPlan({ ...plan, length: 200, train: true });
    const { attention, attentionBackward } = countOperations(sizes, findMechanism(name, sizes));
    const problem = createProblem(createMeasuringBackend(), { B: 8, H: 4, G: 2, L: 200, S: 200, D: 12 }, kind);
    expect(attention).toBe(2 * problemOperations(problem, 'forward'));
    expect(attentionBackward).toBe(2 * problemOperations(problem, 'backward'));
  });

  it('counts linear attention as its products', () => {
    const sizes = checkPlan({ layers: 1, heads: 4, width: 96, length: 512, batch: 2, vocabulary: 1, train: true });
    const grouped = { ...sizes, keyValueHeads: 2 };
    const of = (it: typeof sizes): number[] => {
      const { attention, attentionBackward } = countOperations(it, findMechanism('linear', it));
      return [attention, attention + attentionBackward];
    };
    // counted while linearAttention(q, k, v) ran, with `counting` of the bench
    expect(of(sizes)).toEqual([35520512, 104718336]);
    expect(of(grouped)).toEqual([33062912, 97959936]);
    expect(of({ ...sizes, bidirectional: true })).toEqual([9830400, 29491200]);
  });

  it('holds less in the cache with fewer key/value heads, and a state with linear attention', () => {
    const cacheOf = (changes: object, mechanism = 'causal') =>
      estimate({ ...plan, ...changes }, { mechanism }).memory.cache;
    expect(cacheOf({})).toBe(4 * 8 * 2 * 2 * 2 * 12 * 40);
    expect(cacheOf({ keyValueHeads: 1 })).toBe(cacheOf({}) / 2);
    expect(cacheOf({ length: 80 }, 'linear')).toBe(cacheOf({}, 'linear'));
  });

  it('predicts a time only for a machine, in proportion to it', () => {
    const [peakGflops, copyGigabytesPerSecond] = [100, 20];
    expect(estimate(plan).predictedMs).toBeNull();
    const time = estimate(plan, { machine: { peakGflops, copyGigabytesPerSecond } }).predictedMs ?? 0;
    expect(time).toBeGreaterThan(estimate(plan).operations / peakGflops / 1e6);
    const twice = { peakGflops: 2 * peakGflops, copyGigabytesPerSecond: 2 * copyGigabytesPerSecond };
    expect(estimate(plan, { machine: twice }).predictedMs).toBeCloseTo(time / 2, 12);
  });

  it.each<[object, RegExp]>([
    [{ heads: 5 }, /width E = 48 a multiple of heads H, got H = 5/],
    [{ keyValueHeads: 3 }, /heads H = 4 a multiple of keyValueHeads G, got G = 3/],
    [{ layers: 0 }, /layers a whole number >= 1, got 0/],
    [{ length: 2.5 }, /length a whole number >= 1, got 2.5/],
    [{ length: 2 ** 19 }, /length at most 262144, got 524288/],
  ])('refuses %j', (changes, message) => {
    expect(() => estimate({ ...plan, ...changes })).toThrow(message);
  });

  it.each(['windw:3', 'window', 'window:-1', 'window:x', 'full:2', 'toString'])(
    'refuses the mechanism %s',
    (mechanism) => {
      expect(() => estimate(plan, { mechanism })).toThrow(`expected a mechanism like full, causal, window:W`);
    },
  );
});

describe('reach', () => {
  const reachOf = (mechanism: string, changes: object = {}) =>
    estimate({ ...plan, layers: 3, length: 600, ...changes }, { mechanism }).reach;

  it('of a window grows by the window with every layer', () => {
    expect(reachOf('window:70')).toEqual({ oneLayer: 70, allLayers: 210 });
    expect(reachOf('window:70', { bidirectional: true })).toEqual({ oneLayer: 70, allLayers: 210 });
    expect(reachOf('window:300')).toEqual({ oneLayer: 300, allLayers: 599 });
  });

  it('ends at the first position that stays unseen', () => {
    expect(reachOf('dilated:2:64')).toEqual({ oneLayer: 0, allLayers: 0 });
    expect(reachOf('strided:20')).toEqual({ oneLayer: 20, allLayers: 599 });
  });

  it('of causal, BigBird and linear attention is everything', () => {
    expect(reachOf('causal')).toEqual({ oneLayer: 599, allLayers: 599 });
    expect(reachOf('bigbird').allLayers).toBe(599);
    expect(reachOf('linear')).toEqual({ oneLayer: 599, allLayers: 599 });
    expect(reachOf('full', { length: 1 })).toEqual({ oneLayer: 0, allLayers: 0 });
  });
});

describe('compareMechanisms', () => {
  const long = { ...plan, layers: 4, length: 2048, batch: 1, width: 256 };

  it('starts with the plan and names the cheapest that keeps the reach', () => {
    const near = compareMechanisms(long, { reach: 256 });
    expect(near.estimates[0]).toMatchObject({ mechanism: 'causal', keyValueHeads: 2 });
    expect(near.estimates.map(({ mechanism }) => mechanism)).toContain('window:64');
    expect(near.cheapest?.mechanism).toBe('window:64');
    const far = compareMechanisms(long);
    expect(far.reach).toBe(2047);
    expect(far.cheapest?.reach.allLayers).toBe(2047);
    for (const each of far.estimates.filter((it) => it.reach.allLayers === 2047 && !it.looksAhead))
      expect(each.operations).toBeGreaterThanOrEqual(far.cheapest?.operations ?? Number.NaN);
  });

  it('never gives a language model what looks ahead, nor an encoder what does not', () => {
    expect(compareMechanisms(long).cheapest?.looksAhead).toBe(false);
    expect(compareMechanisms({ ...long, bidirectional: true }).cheapest?.looksAhead).toBe(true);
  });

  it('refuses a reach that the length does not have', () => {
    expect(() => compareMechanisms(long, { reach: 2048 })).toThrow(
      /reach a whole number from 0 to length - 1 = 2047, got 2048/,
    );
  });
});
