/**
 * Every way to train resumes to the same bits: rules, averages, freezing, skipping, alarms, recomputation, stochastic
 * depth. One small language model, on the reference.
 */

import fs from 'node:fs';
import os from 'node:os';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference/index.js';
import { RandomStream } from '../../src/core/random.js';
import type { Cursor } from '../../src/data/batching.js';
import { shuffledWindows, type WindowBatch } from '../../src/data/windows.js';
import { LanguageModel } from '../../src/models/languageModel.js';
import { backward } from '../../src/tensor/autograd.js';
import { setBackend, tensor } from '../../src/tensor/create.js';
import { crossEntropy } from '../../src/tensor/crossEntropy.js';
import { multiply } from '../../src/tensor/elementwise.js';
import { mean } from '../../src/tensor/reduce.js';
import { scope } from '../../src/tensor/scope.js';
import type { Alarm } from '../../src/train/alarms.js';
import { WeightAverage } from '../../src/train/average.js';
import { CheckpointStore } from '../../src/train/checkpoint.js';
import { createOptimiser, type OptimiserOptions } from '../../src/train/createOptimiser.js';
import { freeze, unfreeze } from '../../src/train/freeze.js';
import { DivergenceError } from '../../src/train/guard.js';
import { trainLoop } from '../../src/train/loop.js';
import type { TrainOptions, TrainResult } from '../../src/train/options.js';
import { findRate } from '../../src/train/rateFinder.js';
import { createSchedule } from '../../src/train/schedule.js';
import { stopAfter } from './stopAfter.js';

const tokens = Uint32Array.from({ length: 2000 }, (_, index) => (index * index) % 11);
const size = { rows: 2, length: 6 };
let folder = '';
beforeAll(() => setBackend(createReferenceBackend()));
beforeEach(() => {
  folder = fs.mkdtempSync(`${os.tmpdir()}/keyhole-variants-`);
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

interface Variant {
  readonly optimiser?: OptimiserOptions['optimiser'];
  readonly averageDecay?: number;
  readonly frozen?: readonly string[];
  readonly unfreezeAfter?: number;
  /** Batches, counted from 0, whose loss is not finite. */
  readonly bad?: readonly number[];
  readonly recompute?: boolean;
  readonly stochasticDepth?: number;
  readonly dropout?: number;
  readonly accumulate?: number;
}

type Numbered = WindowBatch & { readonly number: number };

function modelOf({ recompute = false, stochasticDepth = 0, dropout = 0.1 }: Variant): LanguageModel {
  const sizes = { vocabulary: 11, width: 8, heads: 2, hidden: 16, layers: 2, context: 6 };
  return new LanguageModel({ ...sizes, recompute, stochasticDepth, dropout }, new RandomStream(3));
}

function learning(model: LanguageModel, variant: Variant) {
  const { optimiser = 'adamw', bad = [], frozen = [], unfreezeAfter = 0, averageDecay = 0 } = variant;
  if (frozen.length > 0) freeze(model, frozen);
  const loss: TrainOptions<Numbered>['loss'] = ({ input, labels, shape, number }, context) => {
    const logits = model.forward(tensor(input, shape), context);
    const found = mean(crossEntropy(logits, tensor(labels, shape)));
    return { loss: bad.includes(number) ? multiply(found, Number.NaN) : found, tokens: input.length };
  };
  return {
    model,
    loss,
    optimiser: createOptimiser(model, { optimiser, beta1: 0.9, beta2: 0.98, epsilon: 1e-9, weightDecay: 0.01 }),
    average: averageDecay > 0 ? new WeightAverage(model.parameters(), averageDecay) : undefined,
    beforeStep: (step: number) => {
      if (unfreezeAfter > 0 && step > unfreezeAfter) unfreeze(model, frozen);
    },
    batches: numbered,
    seed: 5,
  };
}

function* numbered(from: Cursor): Generator<{ batch: Numbered; next: Cursor }> {
  for (const { batch, next } of shuffledWindows(tokens, size, new RandomStream(4), from))
    yield { batch: { ...batch, number: next.index - 1 }, next };
}

interface Trained {
  readonly weights: Record<string, number[]>;
  readonly lines: string[];
  readonly alarms: Alarm[];
  readonly result: TrainResult;
}

async function train(
  name: string,
  variant: Variant,
  changes: Partial<TrainOptions<Numbered>> = {},
  lines: string[] = [],
): Promise<Trained> {
  const model = modelOf(variant);
  const alarms: Alarm[] = [];
  const result = await trainLoop<Numbered>({
    ...learning(model, variant),
    schedule: createSchedule({ peak: 0.01, warmupSteps: 4, totalSteps: 24, decay: 'oneCycle' }),
    totalSteps: 24,
    accumulate: variant.accumulate ?? 1,
    badBatch: variant.bad ? 'skip' : 'stop',
    alarmDeviations: 3,
    onAlarm: (alarm) => alarms.push(alarm),
    logEvery: 3,
    evaluateEvery: 8,
    evaluate: () => ({ loss: scope(() => weightOf(model)) }),
    earlyStopping: { metric: 'loss', patience: 0 },
    checkpoints: new CheckpointStore(`${folder}/${name}`),
    log: {
      record: (step, { 'train/tokensPerSecond': _, ...figures }) =>
        void lines.push(JSON.stringify({ step, ...figures })),
      flush: () => {},
    },
    onResume: (step) => lines.splice(0, lines.length, ...lines.filter((line) => JSON.parse(line).step <= step)),
    ...changes,
  });
  const weights = Object.fromEntries(
    [...model.parameters()].map(([path, parameter]) => [path, [...parameter.toArray()]]),
  );
  return { weights, lines, alarms, result };
}

/** A figure that depends on the weights that are judged. */
function weightOf(model: LanguageModel): number {
  return model.embedding.weight.toArray()[0] as number;
}

describe('resumed after 13 of 24 steps, the same bits', () => {
  test.each<[string, Variant]>([
    ['adamw', {}],
    ['sgd', { optimiser: 'sgd' }],
    ['lion', { optimiser: 'lion' }],
    ['an average', { averageDecay: 0.9 }],
    ['accumulation', { accumulate: 3 }],
    ['frozen, and unfrozen before the stop', { frozen: ['blocks.0'], unfreezeAfter: 9 }],
    ['frozen, and unfrozen after the stop', { frozen: ['blocks.0', 'embedding'], unfreezeAfter: 17 }],
    ['skipped batches', { bad: [4, 11, 12, 20] }],
    ['recomputation and stochastic depth', { recompute: true, stochasticDepth: 0.5 }],
  ])('%s', async (_, variant) => {
    const whole = await train('whole', variant);
    const first = await train('parts', variant, stopAfter(13 + (variant.bad ? 1 : 0)));
    expect(first.result.status).toBe('stopped');
    const rest = await train('parts', variant, { resume: true }, first.lines);
    expect(rest.weights).toEqual(whole.weights);
    expect(rest.lines).toEqual(whole.lines);
  });
});

describe('what each of them does', () => {
  test('an average is what is evaluated, kept and loaded', async () => {
    const { weights, lines } = await train('a', { averageDecay: 0.9 });
    const kept = new CheckpointStore(`${folder}/a`).load('last').checkpoint.model.get('embedding.weight');
    const judged = JSON.parse(lines.at(-1) ?? '').loss;
    expect(judged).not.toBe(weights['embedding.weight']?.[0]);
    expect(new Float32Array(kept?.bytes.slice().buffer ?? new ArrayBuffer(0))[0]).toBeCloseTo(judged, 6);
  });

  test('frozen parameters stay as they were until they are let go', async () => {
    const before = [...(modelOf({}).parameters().get('blocks.0.attention.q.weight')?.toArray() ?? [])];
    const frozen = await train('a', { frozen: ['blocks.0'] });
    expect(frozen.weights['blocks.0.attention.q.weight']).toEqual(before);
    const freed = await train('b', { frozen: ['blocks.0'], unfreezeAfter: 9 });
    expect(freed.weights['blocks.0.attention.q.weight']).not.toEqual(before);
  });

  test('a bad batch is skipped with an alarm that names the module; too many end training', async () => {
    const { alarms, result } = await train('a', { bad: [4] });
    expect(result.status).toBe('finished');
    expect(alarms.filter(({ kind }) => kind === 'skipped')).toEqual([
      { step: 5, kind: 'skipped', message: expect.stringMatching(/step 5: skipped, its loss is not finite, first in/) },
    ]);
    const all = Array.from({ length: 24 }, (_, index) => index);
    await expect(train('b', { bad: all })).rejects.toThrow(DivergenceError);
  });

  test('recomputation changes no bit, and keeps less', async () => {
    const [kept, again] = [await train('a', {}), await train('b', { recompute: true })];
    expect(again.weights).toEqual(kept.weights);
    expect(again.lines).toEqual(kept.lines);
  });

  test('stochastic depth leaves blocks out, and their parameters without a gradient', () => {
    const model = modelOf({ stochasticDepth: 0.9, dropout: 0 });
    let without = 0;
    for (let seed = 0; seed < 20; seed++) {
      scope(() => {
        const input = tensor(Int32Array.from(tokens.slice(0, 6)), [1, 6]);
        backward(mean(model.forward(input, { training: true, random: new RandomStream(seed) })));
      });
      const { weight } = model.blocks[1]?.feedForward.expand ?? {};
      if (weight?.grad === undefined) without++;
      for (const parameter of model.parameters().values()) {
        parameter.grad?.dispose();
        parameter.grad = undefined;
      }
    }
    expect(without).toBeGreaterThan(10); // 90 % of 20 are expected
    expect(without).toBeLessThan(20);
  });

  test('the rate finder ends where the loss explodes, and suggests less', () => {
    const model = modelOf({ dropout: 0 });
    const { points, steepest, lowest } = findRate({ ...learning(model, {}), high: 1000, steps: 60 });
    expect(points.length).toBeGreaterThan(20);
    expect(points[0]?.rate).toBeCloseTo(1e-6, 12);
    expect(steepest).toBeLessThanOrEqual(lowest);
    expect(lowest).toBeGreaterThan(1e-4);
    expect(lowest).toBeLessThan(100);
  });
});
