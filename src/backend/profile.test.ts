/** The profiler counts kernels and changes nothing else. */

import { expect, it } from 'vitest';
import { profiled } from './profile.js';
import { createReferenceBackend } from './reference/createReferenceBackend.js';

it('counts calls per kernel and passes everything on', () => {
  const { backend, report } = profiled(createReferenceBackend());
  const buffer = backend.alloc('f32', 3);
  const out = { buffer, offset: 0, shape: [3], strides: [1] };
  backend.run('fill_f32', { out }, { value: 2 });
  backend.run('affine_f32', { out, a: out }, { scale: 3, shift: 1 });
  backend.run('affine_f32', { out, a: out }, { scale: 1, shift: 1 });
  expect([...backend.read(buffer, 0, 3)]).toEqual([8, 8, 8]);
  const counts = Object.fromEntries(report().map(({ kernel, calls }) => [kernel, calls]));
  expect(counts).toEqual({ fill_f32: 1, affine_f32: 2 });
  expect(report().every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
  backend.free(buffer);
});
