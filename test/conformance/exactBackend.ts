/**
 * A native backend that hands the kernels each buffer cut to exactly what its views reach, so that AddressSanitizer
 * notices a read or write one element outside. It cannot see one inside a larger buffer. Used by test:sanitize only.
 */

import { throwStatus } from '../../src/backend/callStatus.js';
import type {
  Backend,
  DeviceBuffer,
  HostArray,
  KernelName,
  Operands,
  Scalars,
  View,
} from '../../src/backend/contract.js';
import { addon, type NativeArray } from '../../src/backend/native/addon.js';
import { checkCall, encodeCall, signatures, viewExtent } from '../../src/backend/signature.js';

/** The part of a buffer that the views of one call reach. */
interface Cut {
  readonly first: number;
  readonly array: HostArray;
}

function cuts(backend: Backend, views: readonly View[]): Map<DeviceBuffer, Cut> {
  const found = new Map<DeviceBuffer, Cut>();
  for (const { buffer } of views) {
    const mine = views.filter((view) => view.buffer === buffer && viewExtent(view) > 0);
    const first = Math.min(...mine.map(({ offset }) => offset), buffer.length);
    const end = Math.max(...mine.map(viewExtent), first);
    found.set(buffer, { first, array: backend.read(buffer, first, end - first) });
  }
  return found;
}

/** Runs a call that was checked on cut memory, copies what was written back, and returns the addon's code. */
function runOnCuts(
  backend: Backend,
  kernel: KernelName,
  views: Record<string, View | undefined>,
  scalars: Record<string, number>,
): number {
  const { index, operands } = signatures[kernel];
  const present = operands.flatMap(({ name }) => views[name] ?? []);
  const found = cuts(backend, present);
  const moved = Object.fromEntries(
    Object.entries(views).map(([name, view]) => {
      const offset = view && viewExtent(view) > 0 ? view.offset - (found.get(view.buffer) as Cut).first : 0;
      return [name, view && { ...view, offset }];
    }),
  );
  const numbers = new Float64Array(16 * 19 + 16);
  const count = encodeCall(kernel, moved, scalars, numbers);
  const memory = operands.map(({ name }) => {
    const view = views[name];
    return view === undefined ? null : ((found.get(view.buffer) as Cut).array as NativeArray);
  });
  const target = addon().targets().indexOf(backend.info.target);
  const code = addon().call(target, backend.info.threads, index, numbers, count, ...memory);
  for (const [buffer, { first, array }] of found) backend.write(buffer, first, array);
  return code;
}

/** `backend`, every call of which runs on memory of exact size. Calls that TypeScript refuses go to `backend` as they are. */
export function onExactMemory(backend: Backend): Backend {
  const run = <K extends KernelName>(kernel: K, operands: Operands<K>, scalars: Scalars<K>): void => {
    const [views, values] = [operands as Record<string, View | undefined>, scalars as Record<string, number>];
    try {
      checkCall(kernel, views, values);
    } catch {
      backend.run(kernel, operands, scalars);
      return;
    }
    const code = runOnCuts(backend, kernel, views, values);
    if (code !== 0) throwStatus(kernel, operands, scalars, code);
  };
  return {
    info: backend.info,
    alloc: (dtype, length) => backend.alloc(dtype, length),
    free: (buffer) => backend.free(buffer),
    read: (buffer, offset, length) => backend.read(buffer, offset, length),
    write: (buffer, offset, values) => backend.write(buffer, offset, values),
    run,
  };
}
