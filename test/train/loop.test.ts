import fs from 'node:fs';
import os from 'node:os';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference/index.js';
import { Dropout } from '../../src/nn/dropout.js';
import { LayerNorm } from '../../src/nn/layerNorm.js';
import type { Module } from '../../src/nn/module.js';
import { full, setBackend } from '../../src/tensor/create.js';
import { multiply } from '../../src/tensor/elementwise.js';
import { liveBuffers } from '../../src/tensor/pool.js';
import { keep } from '../../src/tensor/scope.js';
import { AdamW } from '../../src/train/adamw.js';
import { CheckpointStore } from '../../src/train/checkpoint.js';
import { DivergenceError } from '../../src/train/guard.js';
import { trainLoop } from '../../src/train/loop.js';
import { decayingParameters } from '../../src/train/optimiser.js';
import type { TrainOptions, TrainResult } from '../../src/train/options.js';
import { createSchedule } from '../../src/train/schedule.js';
import { stopAfter } from './stopAfter.js';
import { type Batch, batches, lossOf, Toy } from './toy.js';

const backend = createReferenceBackend();
let folder = '';
beforeAll(() => setBackend(backend));
beforeEach(() => {
  folder = fs.mkdtempSync(`${os.tmpdir()}/keyhole-loop-`);
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

type Options = TrainOptions<Batch>;

interface Trained {
  readonly model: Toy;
  readonly lines: string[];
  readonly result: TrainResult;
}

/** Trains a toy; its log goes to `lines`, cut back to the checkpoint on resuming, as a run does. */
async function train(
  name: string,
  changes: Partial<Options> = {},
  lines: string[] = [],
  model = new Toy(),
): Promise<Trained> {
  const schedule = createSchedule({ peak: 0.02, warmupSteps: 10, totalSteps: 200, decay: 'cosine' });
  const result = await trainLoop<Batch>({
    model,
    optimiser: new AdamW(model),
    schedule,
    loss: lossOf(model),
    batches,
    totalSteps: 200,
    seed: 5,
    accumulate: 2,
    evaluateEvery: 50,
    evaluate: (step) => ({ score: Math.abs(step - 100) }),
    earlyStopping: { metric: 'score', patience: 0 },
    checkpoints: new CheckpointStore(`${folder}/${name}`),
    log: {
      record: (step, { 'train/tokensPerSecond': _, ...figures }) =>
        void lines.push(JSON.stringify({ step, ...figures })),
      flush: () => undefined,
    },
    onResume: (step) => {
      const kept = lines.filter((line) => JSON.parse(line).step <= step);
      lines.splice(0, lines.length, ...kept);
    },
    ...changes,
  });
  return { model, lines, result };
}

function weightsOf(model: Module): Record<string, number[]> {
  return Object.fromEntries([...model.parameters()].map(([name, parameter]) => [name, [...parameter.toArray()]]));
}

describe('training', () => {
  test('learns, and says what it did', async () => {
    const { result, lines } = await train('a');
    expect(result).toMatchObject({ status: 'finished', step: 200, best: { step: 100, value: 0 } });
    expect(result.trainLoss).toBeLessThan(0.3);
    expect(result.tokensPerSecond).toBeGreaterThan(0);
    expect(lines).toHaveLength(200 / 10 + 200 / 50);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      step: 10,
      'train/loss': expect.any(Number),
      'train/gradientNorm': expect.any(Number),
      'train/learningRate': 0.02,
    });
  });

  test('two runs of one seed are identical; another seed is not', async () => {
    const [a, b, c] = [await train('a'), await train('b'), await train('c', { seed: 6 })];
    expect(b.lines).toEqual(a.lines);
    expect(weightsOf(b.model)).toEqual(weightsOf(a.model));
    expect(weightsOf(c.model)).not.toEqual(weightsOf(a.model));
  });

  // N10: 100 + 100 against 200, and at steps that fall between lines of the log, evaluations and checkpoints.
  test.each([1, 50, 77, 100, 199])('stopped after %i steps and resumed: the same bits', async (steps) => {
    const whole = await train('whole');
    const first = await train('parts', stopAfter(steps));
    expect(first.result).toMatchObject({ status: 'stopped', step: steps });
    const rest = await train('parts', { resume: true }, first.lines);
    expect(weightsOf(rest.model)).toEqual(weightsOf(whole.model));
    expect(rest.lines).toEqual(whole.lines);
    expect(rest.result).toEqual({ ...whole.result, tokensPerSecond: expect.any(Number) });
  });

  test('killed between checkpoints and resumed: the same bits', async () => {
    const whole = await train('whole');
    const lines: string[] = [];
    const dying = train(
      'parts',
      {
        onProgress: ({ step }) => {
          if (step === 130) throw new Error('killed');
        },
      },
      lines,
    );
    await expect(dying).rejects.toThrow('killed');
    const rest = await train('parts', { resume: true }, lines);
    expect(weightsOf(rest.model)).toEqual(weightsOf(whole.model));
    expect(rest.lines).toEqual(whole.lines);
  });

  test('a damaged last checkpoint: goes on from the one before, says so, ends with the same bits', async () => {
    const whole = await train('whole');
    const first = await train('parts', stopAfter(130));
    fs.truncateSync(`${folder}/parts/step-130/model.safetensors`, 100);
    const seen: [number, readonly string[]][] = [];
    const rest = await train('parts', { resume: true, onResume: (...found) => seen.push(found) });
    expect(seen).toEqual([[100, [expect.stringContaining('step-130')]]]);
    expect(weightsOf(rest.model)).toEqual(weightsOf(whole.model));
    expect(first.result.step).toBe(130);
  });

  test('resume before the first checkpoint begins at the beginning', async () => {
    expect((await train('a', { resume: true })).lines).toEqual((await train('b')).lines);
  });

  test('a checkpoint of another model is refused and nothing is overwritten', async () => {
    await train('a', stopAfter(1));
    class Other extends Toy {
      readonly extra = new LayerNorm(6);
    }
    const other = new Other();
    const before = weightsOf(other);
    await expect(train('a', { resume: true }, [], other)).rejects.toThrow(
      /extra.weight: expected an array \[6\], got none/,
    );
    expect(weightsOf(other)).toEqual(before);
  });

  test('accumulating two batches equals one batch of both', async () => {
    const pair = (model: Toy): Partial<Options> => ({
      accumulate: 1,
      *batches(from) {
        const source = batches(from);
        for (;;) {
          const [a, b] = [source.next().value, source.next().value];
          yield { batch: [...a.batch, ...b.batch], next: b.next };
        }
      },
      loss: lossOf(model),
    });
    const still = (): Toy => Object.assign(new Toy(), { dropout: new Dropout(0) });
    const [apart, together] = [still(), still()];
    await train('a', { totalSteps: 20 }, [], apart);
    await train('b', { totalSteps: 20, ...pair(together) }, [], together);
    const [a, b] = [weightsOf(apart), weightsOf(together)];
    for (const name of Object.keys(a)) {
      const difference = a[name]?.map((weight, index) => Math.abs(weight - (b[name]?.[index] as number))) ?? [];
      expect(Math.max(...difference), name).toBeLessThan(1e-5);
    }
  });

  test('stops early when the metric stays away from its best', async () => {
    const { result } = await train('a', { evaluateEvery: 10, earlyStopping: { metric: 'score', patience: 3 } });
    expect(result).toMatchObject({ status: 'finished', step: 130, best: { step: 100, evaluationsSince: 3 } });
    expect(new CheckpointStore(`${folder}/a`).load('best').checkpoint.step).toBe(100);
    const again = await train('a', {
      resume: true,
      evaluateEvery: 10,
      earlyStopping: { metric: 'score', patience: 3 },
    });
    expect(again.result.step).toBe(130);
  });

  test('a metric that evaluation does not give is named', async () => {
    const earlyStopping = { metric: 'scoer', patience: 0 };
    await expect(train('a', { totalSteps: 1, earlyStopping })).rejects.toThrow(/metric = scoer, got only score/);
  });

  test('a warm step allocates nothing', async () => {
    const own = createReferenceBackend(); // on the shared one, what earlier tests left is finalised at any time
    setBackend(own);
    try {
      const seen: number[] = [];
      await train('a', { onProgress: () => void seen.push(liveBuffers(own)), evaluateEvery: 1000 });
      expect(seen[5]).toBeGreaterThan(0);
      expect(new Set(seen.slice(5)).size).toBe(1);
    } finally {
      setBackend(backend);
    }
  });

  test('a stop request waits for no evaluation and gets its turn', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const { result } = await train('a', { totalSteps: 1e6, signal: controller.signal, evaluateEvery: 1e6 });
    expect(result.status).toBe('stopped');
    expect(new CheckpointStore(`${folder}/a`).load().checkpoint.step).toBe(result.step);
  });
});

describe('divergence (N21)', () => {
  const poison = (model: Toy): void => {
    model.norm.weight.write(new Float32Array(6).fill(Number.NaN));
  };

  test('NaN in a module at step 7: stops there, names it, keeps the good checkpoint', async () => {
    const model = new Toy();
    const dying = train(
      'a',
      {
        evaluateEvery: 5,
        onProgress: ({ step }) => {
          if (step === 6) poison(model);
        },
      },
      [],
      model,
    );
    const error: unknown = await dying.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DivergenceError);
    expect(error).toMatchObject({ code: 'DIVERGED', details: { step: 7, what: 'loss', module: 'norm' } });
    const { checkpoint } = new CheckpointStore(`${folder}/a`).load();
    expect(checkpoint.step).toBe(5);
    expect(Object.hasOwn(model.norm, 'forward')).toBe(false);
  });

  test('infinity in a gradient alone: names the module and leaves the weights alone', async () => {
    const model = new Toy();
    let before: ReturnType<typeof weightsOf> | undefined;
    const loss: Options['loss'] = (batch, context) => {
      if (before !== undefined && model.norm.bias) model.norm.bias.grad = keep(full([6], Number.POSITIVE_INFINITY));
      return lossOf(model)(batch, context);
    };
    const onProgress: Options['onProgress'] = ({ step }) => {
      if (step === 6) before = weightsOf(model);
    };
    const dying = train('a', { loss, onProgress }, [], model);
    await expect(dying).rejects.toMatchObject({ details: { step: 7, what: 'gradient', module: 'norm' } });
    expect(weightsOf(model)).toEqual(before);
  });

  test('a loss that is NaN without any module to blame', async () => {
    const model = new Toy();
    const loss: Options['loss'] = (batch, context) => {
      const found = lossOf(model)(batch, context);
      return { ...found, loss: multiply(found.loss, Number.NaN) };
    };
    await expect(train('a', { loss }, [], model)).rejects.toMatchObject({ details: { step: 1, module: 'the loss' } });
  });
});

test('weight decay spares biases and norms, and embeddings unless asked for', () => {
  const model = new Toy();
  const names = (embeddings?: boolean): string[] => {
    const decaying = decayingParameters(model, embeddings);
    return [...model.parameters()].filter(([, parameter]) => decaying.has(parameter)).map(([name]) => name);
  };
  expect(names()).toEqual(['output.weight']);
  expect(names(true)).toEqual(['table.weight', 'output.weight']);
});

test('schedules', () => {
  const rates = (decay: 'cosine' | 'linear' | 'inverseSquareRoot' | 'constant', steps = [1, 2, 4, 7, 10]): number[] =>
    steps.map(createSchedule({ peak: 2, warmupSteps: 4, totalSteps: 10, decay }));
  const rounded = (values: number[]): number[] => values.map((value) => Math.round(value * 1e6) / 1e6);
  expect(rounded(rates('cosine'))).toEqual([0.5, 1, 2, 1, 0]);
  expect(rounded(rates('linear'))).toEqual([0.5, 1, 2, 1, 0]);
  expect(rounded(rates('inverseSquareRoot', [4, 16, 64]))).toEqual([2, 1, 0.5]);
  expect(rounded(rates('constant'))).toEqual([0.5, 1, 2, 2, 2]);
  expect(createSchedule({ peak: 2, warmupSteps: 0, totalSteps: 10, decay: 'cosine', floorRatio: 0.1 })(10)).toBeCloseTo(
    0.2,
  );
});
