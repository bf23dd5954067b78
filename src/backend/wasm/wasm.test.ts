/** The WASM backend's own matters: its allocator, growth of the memory, foreign buffers. */

import { describe, expect, it } from 'vitest';
import { BackendError } from '../../core/errors.js';
import { Allocator, sizeClass } from './allocator.js';
import { createWasmBackend } from './createWasmBackend.js';

describe('Allocator', () => {
  it('classes hold what is asked, in multiples of 64, wasting at most a quarter', () => {
    for (let bytes = 1; bytes < 100_000; bytes = Math.ceil(bytes * 1.01)) {
      const size = sizeClass(bytes);
      expect(size % 64).toBe(0);
      expect(size).toBeGreaterThanOrEqual(bytes);
      expect(size).toBeLessThanOrEqual(Math.max(bytes * 1.25, bytes + 63));
      expect(sizeClass(size)).toBe(size);
    }
  });

  it('hands out blocks apart from each other, uses freed ones again, and grows', () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 3 });
    const allocator = new Allocator(memory, 100);
    const [a, b] = [allocator.allocate(100), allocator.allocate(1)];
    expect([a, b]).toEqual([128, 256]);
    allocator.release(a, 100);
    expect(allocator.allocate(128)).toBe(128);
    expect(allocator.allocate(100_000)).toBe(320);
    expect(memory.buffer.byteLength).toBe(2 * 65_536);
    expect(() => allocator.allocate(1_000_000)).toThrow(BackendError);
    expect(allocator.allocate(60_000)).toBeGreaterThan(100_000);
  });
});

describe.each(['simd', 'relaxed'] as const)('wasm %s', (variant) => {
  it('keeps contents and calls right while the memory grows', async () => {
    const backend = await createWasmBackend({ variant });
    const small = backend.alloc('f32', 3);
    backend.write(small, 0, [1, 2, 3]);
    const view = { buffer: small, offset: 0, shape: [3], strides: [1] };
    for (let n = 1; n <= 5; n++) {
      const big = backend.alloc('f32', 2 ** (17 + n));
      const out = { ...view, buffer: big };
      backend.run('affine_f32', { out, a: view }, { scale: n, shift: 0 });
      expect([...backend.read(big, 0, 3)]).toEqual([n, 2 * n, 3 * n]);
    }
    expect([...backend.read(small, 0, 3)]).toEqual([1, 2, 3]);
  });

  it('refuses freed and foreign buffers, and more memory than there is', async () => {
    const [one, other] = [await createWasmBackend({ variant }), await createWasmBackend({ variant })];
    const buffer = one.alloc('f32', 4);
    expect(() => other.read(buffer, 0, 4)).toThrow(BackendError);
    one.free(buffer);
    expect(() => one.read(buffer, 0, 4)).toThrow(BackendError);
    expect(() => one.free(buffer)).toThrow(BackendError);
    expect(() => one.alloc('f32', 2 ** 34)).toThrow(BackendError);
    expect(() => one.alloc('f32', -1)).toThrow(/non-negative/);
  });
});
