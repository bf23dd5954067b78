/** The target that was asked for is the one that ran, and one that is not there is refused by name. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { binaryOps } from '../../src/backend/kernels.generated.js';
import { addon } from '../../src/backend/native/addon.js';
import { loadBackend } from '../../src/backend/registry.js';
import { exact, input, kernelCase } from './case.js';
import { attention } from './cases/attentionProblems.js';
import { conforms, execute } from './run.js';
import { forEachSubject } from './suite.js';

/** Floats per vector. */
const lanes = { baseline: 4, neon: 4, avx2: 8, avx512: 16 };

forEachSubject((backend, { options }) => {
  it('says what it is', () => {
    expect(backend.info.backend).toBe(options.backend);
    const target = options.backend === 'wasm' ? `wasm-${options.target}` : (options.target ?? 'typescript');
    expect(backend.info.target).toBe(target);
  });

  it.runIf(options.backend === 'native')('runs the kernel text of that target', () => {
    const buffer = backend.alloc('f32', 100);
    backend.run('fill_f32', { out: { buffer, offset: 0, shape: [100], strides: [1] } }, { value: 1 });
    expect(addon().lastTarget()).toBe(`${options.target}/${lanes[options.target as keyof typeof lanes]}`);
    backend.free(buffer);
  });
});

/** Loads and runs kernels with any operands, subnormal results among them. */
forEachSubject((backend) => {
  it('N18: running kernels leaves denormals alone, JavaScript and its own', () => {
    const smallest = kernelCase({
      kernel: 'binary_f32',
      label: 'subnormal results',
      inputs: { a: input([70], () => 2 ** -100), b: input([70], (index) => 2 ** (-30 - (index % 19))) },
      outputs: { out: [70] },
      scalars: { op: binaryOps.indexOf('multiply') },
      tolerance: { out: exact },
    });
    expect(conforms(backend, smallest, 'packed')).toBe(0);
    for (const { forward } of attention.slice(5, 9)) execute(backend, forward);
    expect(5e-324 * 1).toBe(5e-324);
    expect(Math.fround(2 ** -149) * 1).toBe(2 ** -149);
  });
});

it('N18: no build relaxes floating point', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const sources = ['native', 'scripts'].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(cpp|h|def|mjs)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  const relaxed = /-ffast-math|-Ofast|-funsafe-math|-ffinite-math|_MM_SET_(FLUSH|DENORMALS)|fast_math|mxcsr/i;
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.filter((name) => relaxed.test(readFileSync(`${root}${name}`, 'utf8')))).toEqual([]);
});

it.each(['native', 'wasm'] as const)('a %s target that does not exist is refused', async (backend) => {
  await expect(loadBackend({ backend, target: 'sse9' })).rejects.toThrow(`${backend}:sse9`);
});
