/** The case list, what a case comes to, and that a wrong result is never timed. Speeds themselves are not tested. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../../backend/contract.js';
import { addon } from '../../backend/native/addon.js';
import { createReferenceBackend } from '../../backend/reference/createReferenceBackend.js';
import { runProgram } from '../program.js';
import { prepareAttention } from './attentionBench.js';
import { createProblem } from './attentionProblem.js';
import { type AttentionCase, benchCases, everyKind, type MaskKind, type Pass, quickCases } from './cases.js';
import { prepareGemm } from './gemmBench.js';
import { describeMachine } from './machine.js';
import { prepareMemory } from './memoryBench.js';
import { pairsInBand } from './operations.js';
import { measure, type Prepare } from './prepared.js';
import { ratioInTurns, type TimingOptions, timeInTurns } from './timing.js';
import { prepareTrain } from './trainBench.js';

const reference = createReferenceBackend();
const machine = describeMachine(reference.info);
const alone = [{ backend: reference, machine }];
const once = { budgetMs: 0, minRuns: 1, maxRuns: 9 };
const shape = { B: 2, H: 4, G: 2, L: 9, S: 9, D: 8 };
const masks: readonly MaskKind[] = ['dense', 'causal', 'boolean', 'bias', 'padding', 'scoreMod', 'window:3'];
const caseOf = (pass: Pass, mask: MaskKind): AttentionCase => ({ pass, mask, shape, record: 'none' });

function nativeIsBuilt(): boolean {
  try {
    return addon() !== undefined;
  } catch {
    return false;
  }
}

/** The figures of one case on one backend. */
function figuresOf<Case, Figures>(prepare: Prepare<Case, Figures>, it: Case, subjects = alone): Figures {
  const [figures] = measure(prepare, subjects, it, once);
  if (!figures) throw new Error('no figures');
  return figures;
}

/** A backend whose results of `kernel` are off in one place. */
function wrong(kernel: string, output: string): Backend {
  const run: Backend['run'] = (name, operands, scalars) => {
    reference.run(name, operands, scalars);
    const view = (operands as Record<string, { buffer: never; offset: number }>)[output];
    if (name === kernel && view) reference.write(view.buffer, view.offset, [7]);
  };
  return {
    info: reference.info,
    alloc: (dtype, length) => reference.alloc(dtype, length),
    free: (buffer) => reference.free(buffer),
    read: (buffer, offset, length) => reference.read(buffer, offset, length),
    write: (buffer, offset, values) => reference.write(buffer, offset, values),
    run,
  };
}

describe('cases', () => {
  it('cover every mask, both directions, and a record on top of the same case without', () => {
    const names = benchCases.attention.map(({ pass, mask, record }) => `${pass} ${mask} ${record}`);
    for (const mask of ['dense', 'causal', 'boolean', 'bias', 'padding', 'scoreMod', 'window:256'])
      expect(names).toContain(`forward ${mask} none`);
    for (const name of [
      'forward dense default',
      'forward causal default',
      'backward dense none',
      'backward causal none',
      'backward scoreMod none',
    ])
      expect(names).toContain(name);
  });

  it.each(masks)('count the pairs that %s allows', (mask) => {
    const { pairs, inputs } = createProblem(reference, shape, mask);
    const allowed = inputs.mask?.toArray();
    let expected = 0;
    for (let i = 0; i < 9; i++) {
      for (let j = 0; j < 9; j++) {
        if (mask === 'causal' && j > i) continue;
        if (mask === 'window:3' && (j > i || j < i - 2)) continue;
        if (mask === 'padding' && j >= 8) continue;
        if (allowed && allowed[i * 9 + j] === 0) continue;
        expected += 8; // B·H
      }
    }
    expect(pairs).toBe(expected);
  });

  it('of attention include decoding, which can be asked for alone', () => {
    expect(benchCases.attention).toEqual(expect.arrayContaining([...benchCases.decode]));
    expect(benchCases.decode.map(({ pass }) => pass)).toEqual(['decode', 'decode']);
    expect(everyKind).not.toContain('decode');
  });

  it('count pairs past an offset', () => {
    expect(pairsInBand(2, 5, { left: Infinity, right: 0, offset: 3 })).toBe(4 + 5);
    expect(pairsInBand(2, 5, { left: 1, right: 0, offset: 3 })).toBe(4);
  });
});

describe('attention', () => {
  it.each(masks)('checks and times %s in both directions', (mask) => {
    for (const pass of ['forward', 'backward'] as const) {
      const figures = figuresOf(prepareAttention, caseOf(pass, mask));
      expect(figures).toMatchObject({ kind: 'attention', pass, mask, shape, record: 'none', backend: 'reference' });
      expect(figures).toMatchObject({ target: 'typescript', threads: 1, peakGflops: null, peakRatio: null });
      expect(figures.gflops).toBeGreaterThan(0);
      expect(figures.medianMs).toBeGreaterThan(0);
      expect(figures).not.toHaveProperty('overheadRatio');
    }
  });

  it('compares a record with the same call without', () => {
    const figures = figuresOf(prepareAttention, { ...caseOf('forward', 'causal'), record: 'default' });
    expect(figures.overheadRatio).toBeGreaterThan(0);
  });

  it('gives bandwidth for decoding, and shares of the machine where they are known', () => {
    const known = { ...machine, peakGflops: 100, copyGigabytesPerSecond: 10 };
    const figures = figuresOf(prepareAttention, { ...caseOf('decode', 'dense'), shape: { ...shape, L: 1 } }, [
      { backend: reference, machine: known },
    ]);
    expect(figures.kind).toBe('decode');
    expect(figures.copyRatio).toBeCloseTo((figures.gigabytesPerSecond ?? 0) / 10, 12);
    expect(figures.peakRatio).toBeCloseTo(figures.gflops / 100, 12);
  });

  it.each([
    ['out', 'attention_forward_f32', 'forward'],
    ['dq', 'attention_backward_f32', 'backward'],
    ['dk', 'attention_backward_f32', 'backward'],
    ['dv', 'attention_backward_f32', 'backward'],
  ] as const)('refuses to time a wrong %s', (output, kernel, pass) => {
    const small = { ...caseOf(pass, 'dense'), shape: { ...shape, B: 1, H: 1, G: 1 } };
    expect(() => prepareAttention(wrong(kernel, output), small)).toThrow(/nothing was timed/);
  });
});

describe('matmul', () => {
  it.each(['none', 'a', 'b'] as const)('checks and times with %s transposed', (transposed) => {
    const figures = figuresOf(prepareGemm, { shape: { M: 5, N: 6, K: 7 }, transposed });
    expect(figures).toMatchObject({ kind: 'gemm', shape: { M: 5, N: 6, K: 7 }, transposed, runs: 1 });
  });

  it('refuses to time a wrong product', () => {
    const it = { shape: { M: 3, N: 3, K: 3 }, transposed: 'none' } as const;
    expect(() => prepareGemm(wrong('matmul_f32', 'out'), it)).toThrow(/nothing was timed/);
  });
});

describe('kernels bound by memory', () => {
  const written: Readonly<Record<string, [string, string, number]>> = {
    // kernel, a result of it, bytes that a case [64, 192] must move
    exp: ['unary_f32', 'out', 8 * 64 * 192],
    tanh: ['unary_f32', 'out', 8 * 64 * 192],
    gelu: ['unary_f32', 'out', 8 * 64 * 192],
    geluBackward: ['unary_backward_f32', 'da', 12 * 64 * 192],
    layerNorm: ['layer_norm_f32', 'out', 8 * (64 * 192 + 64 + 192)],
    layerNormBackward: ['layer_norm_backward_f32', 'dx', 12 * 64 * 192 + 8 * 64 + 12 * 192],
    rmsNorm: ['rms_norm_f32', 'rstd', 8 * 64 * 192 + 4 * (64 + 192)],
    softmax: ['softmax_f32', 'out', 8 * 64 * 192],
    crossEntropy: ['cross_entropy_f32', 'lse', 4 * 64 * 192 + 12 * 64],
    crossEntropyBackward: ['cross_entropy_backward_f32', 'dlogits', 8 * 64 * 192 + 12 * 64],
    adamw: ['adamw_f32', 'm', 28 * 64 * 192],
    transpose: ['copy_f32', 'out', 8 * 64 * 192],
  };

  it.each(quickCases.memory)('$operation: checked, and every byte counted once', (memoryCase) => {
    const known = { ...machine, copyGigabytesPerSecond: 10 };
    const figures = figuresOf(prepareMemory, memoryCase, [{ backend: reference, machine: known }]);
    const [kernel, result, bytes] = written[memoryCase.operation] ?? ['', '', 0];
    expect(figures).toMatchObject({ kind: 'memory', ...memoryCase, runs: 1 });
    expect(figures.gigabytesPerSecond).toBeCloseTo(bytes / figures.medianMs / 1e6, 9);
    expect(figures.copyRatio).toBeCloseTo(figures.gigabytesPerSecond / 10, 12);
    expect(() => prepareMemory(wrong(kernel, result), memoryCase)).toThrow(/nothing was timed/);
  });
});

describe('measure', () => {
  it('runs one case on several backends in turns and says how much faster the second is', () => {
    const other = createReferenceBackend();
    const order: string[] = [];
    const prepare: Prepare<null, object> = (backend) => {
      const name = backend === other ? 'b' : 'a';
      return { works: [() => order.push(name)], figures: (_, [own]) => ({ name, runs: own?.length }) };
    };
    const subjects = [...alone, { backend: other, machine }];
    const figures = measure(prepare, subjects, null, once);
    expect(order.join('')).toBe('ababba'); // warm-up, two turns
    expect(figures[0]).toEqual({ name: 'a', runs: 2 });
    expect(figures[1]).toEqual({ name: 'b', runs: 2, speedup: expect.any(Number) });
  });

  it('trains on two backends side by side', () => {
    const subjects = [...alone, { backend: createReferenceBackend(), machine }];
    const figures = measure(prepareTrain, subjects, { task: 'g2p', preset: 'quick', batchTokens: 34 }, once);
    expect(figures.map(({ kind, runs }) => [kind, runs])).toEqual([
      ['train', 2],
      ['train', 2],
    ]);
  });
});

describe('timeInTurns', () => {
  const options: TimingOptions = { budgetMs: 0, minRuns: 1, maxRuns: 9 };

  it('warms up once, then reverses the order from turn to turn', () => {
    const order: string[] = [];
    const samples = timeInTurns([() => order.push('a'), () => order.push('b')], options);
    expect(order.join('')).toBe('ababba');
    expect(samples.map(({ length }) => length)).toEqual([2, 2]);
  });

  it('compares turn by turn, so that a slow moment of the machine does not count', () => {
    expect(ratioInTurns([2, 20, 4], [1, 10, 4])).toBe(2);
  });
});

describe('keyhole bench', () => {
  afterEach(() => vi.restoreAllMocks());

  async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const [out, err]: string[][] = [[], []];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => out?.push(String(text)) !== 0);
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => err?.push(String(text)) !== 0);
    const code = await runProgram(['bench', ...args]);
    return { code, out: out?.join('') ?? '', err: err?.join('') ?? '' };
  }

  it('prints one array with --json and the table on stderr', async () => {
    const { code, out, err } = await run('gemm', '--quick', '--backend', 'reference', '--json');
    expect(code).toBe(0);
    const figures = JSON.parse(out) as { kind: string; medianMs: number }[];
    expect(figures).toHaveLength(benchCases.gemm.length);
    for (const { kind, medianMs } of figures) expect([kind, medianMs > 0]).toEqual(['gemm', true]);
    expect(err).toContain('matmul, a transposed');
  });

  it.skipIf(!nativeIsBuilt())('measures one thread and all with --scaling', async () => {
    const { code, out, err } = await run(
      'gemm',
      '--quick',
      '--backend',
      'native',
      '--threads',
      '2',
      '--scaling',
      '--json',
    );
    expect([code, err.match(/× one thread/g)?.length]).toEqual([0, benchCases.gemm.length]);
    const figures = JSON.parse(out) as { threads: number; speedup?: number; peakGflops: number }[];
    expect(figures.map(({ threads }) => threads)).toEqual(benchCases.gemm.flatMap(() => [1, 2]));
    for (const { threads, speedup } of figures) expect(speedup).toEqual(threads === 1 ? undefined : expect.any(Number));
  });

  it.each([
    [['gemm', '--scaling', '--backend', 'reference']],
    [['speed']],
    [['--backend', 'gpu']],
    [['--threads', 'many']],
    [['--target', 'avx2']],
    [['gemm', 'train']],
  ])('exits with 2 for %j', async (args) => {
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('error');
  });
});
