/**
 * Ten training steps of a small language model replay a golden file that was worked out independently, in float64, by
 * golden/transformer.py: losses, gradient norms and final weights.
 */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference/index.js';
import { loadBackend } from '../../src/backend/registry.js';
import { RandomStream } from '../../src/core/random.js';
import { LanguageModel } from '../../src/models/languageModel.js';
import { setBackend, tensor } from '../../src/tensor/create.js';
import { crossEntropy } from '../../src/tensor/crossEntropy.js';
import { mean } from '../../src/tensor/reduce.js';
import { AdamW } from '../../src/train/adamw.js';
import { type StepResult, trainStep } from '../../src/train/step.js';

interface Golden {
  readonly made: object;
  readonly sizes: { vocabulary: number; width: number; heads: number; hidden: number; layers: number; context: number };
  readonly update: {
    rate: number;
    beta1: number;
    beta2: number;
    epsilon: number;
    weightDecay: number;
    clipNorm: number;
  };
  readonly start: Record<string, number[] | number[][]>;
  readonly steps: readonly { readonly text: number[][]; readonly loss: number; readonly norm: number }[];
  readonly end: Record<string, number[]>;
}

const golden: Golden = JSON.parse(readFileSync(new URL('golden/transformer.json', import.meta.url), 'utf8'));

/** A model with the golden file's weights, trained for its ten steps on its texts. */
function replay(recompute: boolean): { readonly found: StepResult[]; readonly model: LanguageModel } {
  const model = new LanguageModel({ ...golden.sizes, dropout: 0, recompute }, new RandomStream(1));
  const parameters = model.parameters();
  expect([...parameters.keys()].sort()).toEqual(Object.keys(golden.start).sort());
  for (const [name, values] of Object.entries(golden.start)) parameters.get(name)?.write(values.flat());
  const { rate, clipNorm, ...settings } = golden.update;
  const [optimiser, random] = [new AdamW(model, settings), new RandomStream(2)];
  const found = golden.steps.map(({ text }, index) => {
    const ids = (from: number): Int32Array => Int32Array.from(text.flatMap((row) => row.slice(from, from + 6)));
    const loss = (_: unknown, context: { training: boolean; random: RandomStream }) => {
      const logits = model.forward(tensor(ids(0), [3, 6]), context);
      return { loss: mean(crossEntropy(logits, tensor(ids(1), [3, 6]))), tokens: 18 };
    };
    return trainStep([() => text], { model, optimiser, loss, random, step: index + 1, rate, clipNorm });
  });
  return { found, model };
}

/**
 * The bias of a key shifts all scores of a row alike, so its gradient is exactly 0, and what AdamW makes of the noise in
 * its place is noise.
 */
const isNoise = (name: string): boolean => name.endsWith('attention.k.bias');

function compare(tolerance: number, recompute = false): void {
  const { found, model } = replay(recompute);
  for (const [index, { loss, norm }] of golden.steps.entries()) {
    expect(Math.abs((found[index]?.loss ?? 0) - loss), `loss ${index}`).toBeLessThan(tolerance);
    expect(Math.abs((found[index]?.norm ?? 0) - norm), `norm ${index}`).toBeLessThan(tolerance);
  }
  for (const [name, values] of Object.entries(golden.end)) {
    if (isNoise(name)) continue;
    const got = model.parameters().get(name)?.toArray() ?? [];
    const error = values.reduce((most, value, at) => Math.max(most, Math.abs(value - (got[at] ?? Number.NaN))), 0);
    expect(error, name).toBeLessThan(tolerance);
  }
}

describe('ten steps in float64', () => {
  test('clip, learn and end where the independent computation does', () => {
    expect(golden.steps).toHaveLength(10);
    expect(golden.steps.every(({ norm }) => norm > golden.update.clipNorm)).toBe(true);
    setBackend(createReferenceBackend({ precision: 'f64' }));
    compare(1e-9);
  });

  test('also with recomputation', () => {
    setBackend(createReferenceBackend({ precision: 'f64' }));
    compare(1e-9, true);
  });

  test('and in float32 on the kernels of this machine', async () => {
    setBackend(await loadBackend());
    compare(2e-4); // AdamW divides by small moments, so float32 noise of 1e-7 in gradients grows
  });
});
