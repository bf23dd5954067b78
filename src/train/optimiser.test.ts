import { beforeAll, describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { RandomStream } from '../core/random.js';
import { Linear } from '../nn/linear.js';
import { setBackend, tensor } from '../tensor/create.js';
import { keep } from '../tensor/scope.js';
import { AdamW } from './adamw.js';

beforeAll(() => setBackend(createReferenceBackend()));

const settings = { beta1: 0.9, beta2: 0.98, epsilon: 1e-9, weightDecay: 0.1 };
const gradientAt = (index: number, step: number): number => Math.sin(index + 1.7 * step) * (1 + (index % 3));

/** Algorithm 2 of Loshchilov and Hutter 2019, word for word, in float64. */
function adamWInFloat64(weights: number[], steps: number, rate: number, decay: number, scale: number): number[] {
  const { beta1, beta2, epsilon } = settings;
  return weights.map((start, index) => {
    let [weight, m, v] = [start, 0, 0];
    for (let step = 1; step <= steps; step++) {
      const gradient = Math.fround(gradientAt(index, step)) * scale;
      m = beta1 * m + (1 - beta1) * gradient;
      v = beta2 * v + (1 - beta2) * gradient ** 2;
      const change = m / (1 - beta1 ** step) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon);
      weight -= rate * (change + decay * weight);
    }
    return weight;
  });
}

describe('AdamW', () => {
  test('100 steps within 1e-6 of float64, relative to the largest weight (N10)', () => {
    const model = new Linear(12, 8, new RandomStream(1));
    const optimiser = new AdamW(model, settings);
    const before = new Map([...model.parameters()].map(([name, parameter]) => [name, [...parameter.toArray()]]));
    for (let step = 1; step <= 100; step++) {
      for (const parameter of optimiser.parameters.values()) {
        const gradient = Float32Array.from({ length: parameter.size }, (_, index) => gradientAt(index, step));
        parameter.grad = keep(tensor(gradient, parameter.shape));
      }
      optimiser.update({ step, rate: 0.01, gradientScale: 0.5 });
    }
    for (const [name, parameter] of model.parameters()) {
      const decay = name === 'weight' ? settings.weightDecay : 0;
      const truth = adamWInFloat64(before.get(name) ?? [], 100, 0.01, decay, 0.5);
      const errors = [...parameter.toArray()].map((weight, index) => Math.abs(weight - (truth[index] as number)));
      expect(Math.max(...errors) / Math.max(...truth.map(Math.abs)), name).toBeLessThan(1e-6);
    }
  });

  test('the norm is over all gradients together; a parameter without a gradient stays', () => {
    const model = new Linear(2, 2, new RandomStream(1));
    const optimiser = new AdamW(model, settings);
    expect(optimiser.gradientNorm()).toBe(0);
    model.weight.grad = keep(tensor([1, 2, 2, 4], [2, 2]));
    expect(optimiser.gradientNorm()).toBe(5);
    const [weight, bias] = [model.weight.toArray(), model.bias?.toArray()];
    optimiser.update({ step: 1, rate: 0.1, gradientScale: 1 });
    expect(model.weight.toArray()).not.toEqual(weight);
    expect(model.bias?.toArray()).toEqual(bias);
    expect(model.weight.grad).toBeUndefined();
  });

  test('stored moments come back, and those of another model do not', () => {
    const [a, b] = [new AdamW(new Linear(2, 3, new RandomStream(1))), new AdamW(new Linear(2, 3, new RandomStream(2)))];
    for (const parameter of a.parameters.values())
      parameter.grad = keep(tensor(new Float32Array(parameter.size).fill(2), parameter.shape));
    a.update({ step: 1, rate: 0.1, gradientScale: 1 });
    b.load(a.store());
    expect(b.store()).toEqual(a.store());
    expect(() => new AdamW(new Linear(2, 2, new RandomStream(1))).load(a.store())).toThrow(
      /m.weight: expected shape \[2, 2\], got \[3, 2\]/,
    );
  });
});
