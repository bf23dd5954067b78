/** Loading: options, environment, refusals, and that nothing is replaced behind one's back. */

import { afterEach, describe, expect, it, vi } from 'vitest';
import { BackendError, UsageError } from '../core/errors.js';
import { loadAttempts, loadBackend } from './registry.js';

afterEach(() => vi.unstubAllEnvs());

describe('loadBackend', () => {
  it('always finds something', async () => {
    expect(['native', 'wasm', 'reference']).toContain((await loadBackend()).info.backend);
  });

  it('gives the same object for the same options', async () => {
    const reference = await loadBackend({ backend: 'reference' });
    expect(await loadBackend({ backend: 'reference' })).toBe(reference);
    expect(reference.info).toEqual({ backend: 'reference', target: 'typescript', threads: 1 });
  });

  it('reads KEYHOLE_BACKEND, and options win over it', async () => {
    vi.stubEnv('KEYHOLE_BACKEND', 'reference');
    expect((await loadBackend()).info.backend).toBe('reference');
    vi.stubEnv('KEYHOLE_BACKEND', 'native:avx9000');
    expect((await loadBackend({ backend: 'reference' })).info.backend).toBe('reference');
  });

  it('fails rather than replace a target that is not there, and remembers why', async () => {
    vi.stubEnv('KEYHOLE_BACKEND', 'native:avx9000');
    await expect(loadBackend()).rejects.toThrow(BackendError);
    await expect(loadBackend()).rejects.toThrow(/native:avx9000/);
    const attempt = loadAttempts().find(({ target }) => target === 'avx9000');
    expect(attempt).toMatchObject({ backend: 'native', target: 'avx9000' });
    expect(attempt?.reason).not.toBe('');
  });

  it('refuses unknown names and thread counts', async () => {
    vi.stubEnv('KEYHOLE_BACKEND', 'cuda');
    await expect(loadBackend()).rejects.toThrow(UsageError);
    await expect(loadBackend()).rejects.toThrow(/native, wasm, reference, got cuda/);
    vi.stubEnv('KEYHOLE_BACKEND', '');
    await expect(loadBackend({ target: 'avx2' })).rejects.toThrow(/to go with target avx2/);
    for (const threads of ['0', '-1', '1.5', 'many']) {
      vi.stubEnv('KEYHOLE_THREADS', threads);
      await expect(loadBackend()).rejects.toThrow(/threads >= 1/);
    }
  });
});
