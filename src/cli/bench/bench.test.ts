/** The case list, what a case comes to, and that a wrong result is never timed. Speeds themselves are not tested. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../../backend/contract.js';
import { createReferenceBackend } from '../../backend/reference/createReferenceBackend.js';
import { runProgram } from '../program.js';
import { benchAttention } from './attentionBench.js';
import { createProblem } from './attentionProblem.js';
import { type AttentionCase, benchCases, type MaskKind, type Pass } from './cases.js';
import { benchGemm } from './gemmBench.js';
import { describeMachine } from './machine.js';
import { pairsInBand } from './operations.js';
import { timeInTurns } from './timing.js';

const reference = createReferenceBackend();
const machine = describeMachine(reference.info);
const once = { budgetMs: 0, minRuns: 1, maxRuns: 1 };
const shape = { B: 2, H: 4, G: 2, L: 9, S: 9, D: 8 };
const masks: readonly MaskKind[] = ['dense', 'causal', 'boolean', 'bias', 'padding', 'window:3'];
const caseOf = (pass: Pass, mask: MaskKind): AttentionCase => ({ pass, mask, shape, record: 'none' });

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
    for (const mask of ['dense', 'causal', 'boolean', 'bias', 'padding', 'window:256'])
      expect(names).toContain(`forward ${mask} none`);
    for (const name of [
      'forward dense default',
      'forward causal default',
      'backward dense none',
      'backward causal none',
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

  it('count pairs past an offset', () => {
    expect(pairsInBand(2, 5, { left: Infinity, right: 0, offset: 3 })).toBe(4 + 5);
    expect(pairsInBand(2, 5, { left: 1, right: 0, offset: 3 })).toBe(4);
  });
});

describe('benchAttention', () => {
  it.each(masks)('checks and times %s in both directions', (mask) => {
    for (const pass of ['forward', 'backward'] as const) {
      const figures = benchAttention(reference, machine, caseOf(pass, mask), once);
      expect(figures).toMatchObject({ kind: 'attention', pass, mask, shape, record: 'none', backend: 'reference' });
      expect(figures).toMatchObject({ target: 'typescript', threads: 1, peakGflops: null, peakRatio: null });
      expect(figures.gflops).toBeGreaterThan(0);
      expect(figures.medianMs).toBeGreaterThan(0);
      expect(figures).not.toHaveProperty('overheadRatio');
    }
  });

  it('compares a record with the same call without', () => {
    const figures = benchAttention(reference, machine, { ...caseOf('forward', 'causal'), record: 'default' }, once);
    expect(figures.overheadRatio).toBeGreaterThan(0);
  });

  it('gives bandwidth for decoding, and shares of the machine where they are known', () => {
    const known = { ...machine, peakGflops: 100, copyGigabytesPerSecond: 10 };
    const figures = benchAttention(reference, known, { ...caseOf('decode', 'dense'), shape: { ...shape, L: 1 } }, once);
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
    const alone = { ...caseOf(pass, 'dense'), shape: { ...shape, B: 1, H: 1, G: 1 } };
    expect(() => benchAttention(wrong(kernel, output), machine, alone, once)).toThrow(/nothing was timed/);
  });
});

describe('benchGemm', () => {
  it.each(['none', 'a', 'b'] as const)('checks and times with %s transposed', (transposed) => {
    const figures = benchGemm(reference, machine, { shape: { M: 5, N: 6, K: 7 }, transposed }, once);
    expect(figures).toMatchObject({ kind: 'gemm', shape: { M: 5, N: 6, K: 7 }, transposed, runs: 1 });
  });

  it('refuses to time a wrong product', () => {
    const it = { shape: { M: 3, N: 3, K: 3 }, transposed: 'none' } as const;
    expect(() => benchGemm(wrong('matmul_f32', 'out'), machine, it, once)).toThrow(/nothing was timed/);
  });
});

describe('timeInTurns', () => {
  it('lets works take turns after one warm-up each', () => {
    const order: string[] = [];
    const timings = timeInTurns([() => order.push('a'), () => order.push('b')], {
      budgetMs: 0,
      minRuns: 2,
      maxRuns: 9,
    });
    expect(order.join('')).toBe('ababab');
    expect(timings.map(({ runs }) => runs)).toEqual([2, 2]);
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

  it.each([[['speed']], [['--backend', 'gpu']], [['--threads', 'many']], [['--target', 'avx2']], [['gemm', 'train']]])(
    'exits with 2 for %j',
    async (args) => {
      const { code, out, err } = await run(...args);
      expect([code, out]).toEqual([2, '']);
      expect(err).toContain('error');
    },
  );
});
