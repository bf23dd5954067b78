/** The update rules beside AdamW, the average, freezing and alarms, each against the formula worked out by hand. */

import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { Linear } from '../nn/linear.js';
import { Module } from '../nn/module.js';
import { setBackend, tensor } from '../tensor/create.js';
import { keep } from '../tensor/scope.js';
import { Alarms } from './alarms.js';
import { WeightAverage } from './average.js';
import { freeze, unfreeze } from './freeze.js';
import { Lion } from './lion.js';
import type { Optimiser } from './optimiser.js';
import { createSchedule } from './schedule.js';
import { Sgd } from './sgd.js';

beforeAll(() => setBackend(createReferenceBackend()));

class Pair extends Module {
  readonly matrix = tensor([1, -2], [1, 2], { requiresGrad: true });
  readonly vector = tensor([3], [1], { requiresGrad: true });
}

function step(model: Pair, optimiser: Optimiser, number: number, matrix: number[], vector: number[]): void {
  model.matrix.grad = keep(tensor(matrix, [1, 2]));
  model.vector.grad = keep(tensor(vector, [1]));
  optimiser.update({ step: number, rate: 0.1, gradientScale: 0.5 });
}

describe('Sgd', () => {
  it('adds gradients up with momentum, and decays matrices alone', () => {
    const model = new Pair();
    const optimiser = new Sgd(model, { momentum: 0.5, weightDecay: 0.2 });
    step(model, optimiser, 1, [2, 4], [6]);
    expect([...model.matrix.toArray()]).toEqual([expect.closeTo(0.98 - 0.1, 6), expect.closeTo(-1.96 - 0.2, 6)]);
    expect(model.vector.item()).toBeCloseTo(3 - 0.3, 6);
    step(model, optimiser, 2, [0, 0], [0]);
    expect(model.vector.item()).toBeCloseTo(2.7 - 0.1 * 1.5, 6);
  });

  it('without momentum is plain descent', () => {
    const model = new Pair();
    step(model, new Sgd(model, { momentum: 0 }), 1, [2, 4], [6]);
    expect([...model.matrix.toArray()]).toEqual([expect.closeTo(0.9, 6), expect.closeTo(-2.2, 6)]);
  });
});

describe('Lion', () => {
  it('moves by the sign, and not at all where there is no gradient', () => {
    const model = new Pair();
    const optimiser = new Lion(model, { beta1: 0.9, beta2: 0.5, weightDecay: 0.2 });
    step(model, optimiser, 1, [2e-30, 0], [-6]);
    expect([...model.matrix.toArray()]).toEqual([expect.closeTo(0.98 - 0.1, 6), expect.closeTo(-1.96, 6)]);
    expect(model.vector.item()).toBeCloseTo(3.1, 6);
    step(model, optimiser, 2, [0, 0], [26]); // momentum 0.5 · -3 = -1.5; 0.9 · -1.5 + 0.1 · 13 < 0
    expect(model.vector.item()).toBeCloseTo(3.2, 6);
    step(model, optimiser, 3, [0, 0], [0]); // momentum 0.5 · -1.5 + 0.5 · 13 = 5.75
    expect(model.vector.item()).toBeCloseTo(3.1, 6);
  });
});

describe('createSchedule', () => {
  const rates = (decay: 'oneCycle' | 'cosine', steps: readonly number[]): number[] =>
    steps.map(createSchedule({ peak: 2, warmupSteps: 10, totalSteps: 30, decay, floorRatio: 0.1 }));

  it('goes up and down by cosines in one cycle', () => {
    const [half, peak, later, end] = rates('oneCycle', [5, 10, 20, 30]);
    expect([half, peak, later, end]).toEqual([1, 2, 1.1, 0.2].map((rate) => expect.closeTo(rate, 9)));
    expect(rates('oneCycle', [2])[0]).toBeLessThan(rates('cosine', [2])[0] ?? 0);
  });
});

describe('WeightAverage', () => {
  it('follows the weights, and stands in for them while something is measured', async () => {
    const model = new Pair();
    const average = new WeightAverage(model.parameters(), 0.9);
    model.vector.write([13]);
    average.add(1); // decay 2 / 11
    const expected = (2 / 11) * 3 + (9 / 11) * 13;
    expect(await average.during(() => model.vector.item())).toBeCloseTo(expected, 5);
    expect(model.vector.item()).toBe(13);
    await expect(average.during(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(model.vector.item()).toBe(13);
    average.add(1000); // decay 0.9
    expect(average.tensors.get('vector')?.item()).toBeCloseTo(0.9 * expected + 1.3, 5);
  });
});

describe('freeze', () => {
  class Stack extends Module {
    readonly blocks = [1, 2].map((seed) => new Linear(2, 2, new RandomStream(seed)));
    readonly output = new Linear(2, 2, new RandomStream(3));
  }
  const learning = (model: Module): string[] =>
    [...model.parameters()].flatMap(([name, { requiresGrad }]) => (requiresGrad ? [name] : []));

  it('takes paths and wildcards, and gives back', () => {
    const model = new Stack();
    freeze(model, ['blocks.*.weight', 'output']);
    expect(learning(model)).toEqual(['blocks.0.bias', 'blocks.1.bias']);
    unfreeze(model, ['blocks.1', 'output.bias']);
    expect(learning(model)).toEqual(['blocks.0.bias', 'blocks.1.weight', 'blocks.1.bias', 'output.bias']);
  });

  it('refuses a path that is not there, and a model with nothing left to learn', () => {
    expect(() => freeze(new Stack(), ['block.0'])).toThrow(/got block.0; did you mean blocks.0/);
    expect(() => freeze(new Stack(), ['blocks.1', 'blocks.0', 'output'])).toThrow(/some parameters to be left/);
  });
});

describe('Alarms', () => {
  const usual = (alarms: Alarms, steps: number): void => {
    const random = new RandomStream(1);
    for (let at = 1; at <= steps; at++)
      expect(alarms.add(at, { loss: 2 + 0.1 * random.normal(), norm: 1 + 0.2 * random.normal() })).toEqual([]);
  };

  it('are quiet about what is usual, and name what is not', () => {
    const alarms = new Alarms(6);
    usual(alarms, 300);
    const [loss, ...more] = alarms.add(301, { loss: 4, norm: 1 });
    expect(loss).toMatchObject({
      step: 301,
      kind: 'loss',
      message: expect.stringMatching(/loss 4.000 is \d+\.\d deviations/),
    });
    expect(more).toEqual([]);
    expect(alarms.add(302, { loss: 2, norm: 9 }).map(({ kind }) => kind)).toEqual(['gradientNorm']);
  });

  it('go on from their state, say nothing at the start, and nothing when off', () => {
    const [first, off] = [new Alarms(6), new Alarms(0)];
    expect(first.add(1, { loss: 1, norm: 1 })).toEqual([]);
    expect(first.add(2, { loss: 100, norm: 1 })).toEqual([]);
    usual(off, 100);
    expect(off.add(101, { loss: 1e6, norm: 1e6 })).toEqual([]);
    const [a, b] = [new Alarms(6, off.state), new Alarms(6, JSON.parse(JSON.stringify(off.state)))];
    expect(b.add(102, { loss: 1e9, norm: 1 })).toEqual(a.add(102, { loss: 1e9, norm: 1 }));
  });
});
