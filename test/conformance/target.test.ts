/** The target that was asked for is the one that ran, and one that is not there is refused by name. */

import { expect, it } from 'vitest';
import { addon } from '../../src/backend/native/addon.js';
import { loadBackend } from '../../src/backend/registry.js';
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

it('N18: loading a backend leaves denormals alone', async () => {
  await loadBackend();
  expect(5e-324 * 1).toBe(5e-324);
});

it.each(['native', 'wasm'] as const)('a %s target that does not exist is refused', async (backend) => {
  await expect(loadBackend({ backend, target: 'sse9' })).rejects.toThrow(`${backend}:sse9`);
});
