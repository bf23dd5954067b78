/**
 * Counts calls and time per kernel around any backend. The wrapped backend takes the same buffers and gives the same
 * results.
 */

import type { Backend, KernelName } from './contract.js';

export interface KernelTime {
  readonly kernel: KernelName;
  readonly calls: number;
  readonly milliseconds: number;
}

export interface Profile {
  /** Use this one; it passes everything on to the backend that was given. */
  readonly backend: Backend;
  /** Time per kernel so far, the most expensive first. */
  report(): KernelTime[];
}

/** Wraps `run` with a clock. */
export function profiled(backend: Backend): Profile {
  const times = new Map<KernelName, { calls: number; milliseconds: number }>();
  const count = (kernel: KernelName, milliseconds: number): void => {
    const sum = times.get(kernel) ?? { calls: 0, milliseconds: 0 };
    times.set(kernel, { calls: sum.calls + 1, milliseconds: sum.milliseconds + milliseconds });
  };
  const wrapped: Backend = {
    info: backend.info,
    alloc: (dtype, length) => backend.alloc(dtype, length),
    free: (buffer) => backend.free(buffer),
    read: (buffer, offset, length) => backend.read(buffer, offset, length),
    write: (buffer, offset, values) => backend.write(buffer, offset, values),
    run: (kernel, operands, scalars) => {
      const start = performance.now();
      backend.run(kernel, operands, scalars);
      count(kernel, performance.now() - start);
    },
  };
  const report = (): KernelTime[] =>
    [...times].map(([kernel, sum]) => ({ kernel, ...sum })).sort((a, b) => b.milliseconds - a.milliseconds);
  return { backend: wrapped, report };
}
