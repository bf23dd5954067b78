import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMeasuringBackend } from '../backend/measuring.js';
import { createReferenceBackend } from '../backend/reference/index.js';
import { getBackend, setBackend } from '../tensor/create.js';
import { resolveConfig } from './config.js';
import { estimateMemory, largestBatch } from './memory.js';
import { novel } from './novel.js';
import type { Config, OpenTask } from './task.js';

let folder = '';
let config: Config;
let open: OpenTask;
const estimate = (changes: Config = {}) => estimateMemory(open, { ...config, ...changes }, createMeasuringBackend());

beforeAll(async () => {
  setBackend(createReferenceBackend());
  folder = mkdtempSync(join(tmpdir(), 'keyhole-memory-'));
  const data = join(folder, 'text.txt');
  writeFileSync(data, 'the whale and the sea; '.repeat(600));
  const small = ['width=32', 'hidden=64', 'context=16', 'batchTokens=1024', 'heads=2', 'averageDecay=0'];
  config = resolveConfig('novel', novel.schema, novel.presets['nanogpt-cpu'] ?? {}, [`data=${data}`, ...small]);
  open = await novel.open(config);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('estimateMemory', () => {
  it('counts weights and moments to the byte, and leaves the backend as it was', () => {
    const before = getBackend();
    const { weights, optimiser, checkpoint, step, total } = estimate();
    expect(getBackend()).toBe(before);
    expect(weights).toBe(4 * open.model.parameterCount());
    expect(optimiser).toBe(2 * weights);
    expect(checkpoint).toBe(3 * weights);
    expect(total).toBe(weights + optimiser + checkpoint + step);
  });

  it('grows with the batch, and shrinks with recomputation and a rule of one moment', () => {
    const whole = estimate();
    expect(estimate({ batchTokens: 2048 }).step).toBeGreaterThan(1.8 * whole.step);
    expect(estimate({ recompute: true }).step).toBeLessThan(0.6 * whole.step);
    expect(estimate({ optimiser: 'sgd' }).optimiser).toBe(whole.weights);
    expect(estimate({ averageDecay: 0.9 }).optimiser).toBe(3 * whole.weights);
  });

  it('finds the largest batch that fits', () => {
    const { total } = estimate({ batchTokens: 512 });
    const tokens = largestBatch(open, config, total, createMeasuringBackend) ?? 0;
    expect(tokens).toBeGreaterThanOrEqual(480);
    expect(tokens).toBeLessThan(640);
    expect(estimate({ batchTokens: tokens }).total).toBeLessThanOrEqual(total);
    expect(largestBatch(open, config, 1000, createMeasuringBackend)).toBeUndefined();
  });
});
