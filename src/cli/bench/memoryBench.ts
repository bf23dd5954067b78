/** One case that is bound by memory: checked on some rows, then timed. */

import type { Backend } from '../../backend/contract.js';
import { createReferenceBackend } from '../../backend/reference/createReferenceBackend.js';
import { signatures } from '../../backend/signature.js';
import { tensor } from '../../tensor/create.js';
import type { Tensor } from '../../tensor/tensor.js';
import { slice } from '../../tensor/views.js';
import type { MemoryCase } from './cases.js';
import { expectClose } from './expectClose.js';
import { type Machine, ratioOf } from './machine.js';
import { bytesOf, createCall, type KernelCall, run } from './memoryProblem.js';
import type { Prepared } from './prepared.js';
import { type Samples, type Timing, timingOf } from './timing.js';

/** What a case bound by memory came to. Null where the machine's limit is unknown. */
export interface MemoryFigures extends MemoryCase, Machine, Timing {
  readonly kind: 'memory';
  /** Bytes that must be read and written, 10⁹ a second. */
  readonly gigabytesPerSecond: number;
  readonly copyRatio: number | null;
}

const reference = createReferenceBackend();
/** Rows that the reference recomputes at each of three places. */
const checkedRows = 8;

/** Throws StateError when a result is wrong. */
export function prepareMemory(backend: Backend, it: MemoryCase): Prepared<MemoryFigures> {
  const call = createCall(backend, it);
  const truths = partsOf(call);
  run(call);
  for (const { rows, part } of truths) check(it.operation, call, rows, part);
  return { works: [() => run(call)], figures: (machine, samples) => figuresOf(it, bytesOf(call), machine, samples) };
}

function figuresOf(it: MemoryCase, bytes: number, machine: Machine, [own = []]: readonly Samples[]): MemoryFigures {
  const timing = timingOf(own);
  const gigabytesPerSecond = bytes / timing.medianMs / 1e6;
  const copyRatio = ratioOf(gigabytesPerSecond, machine.copyGigabytesPerSecond);
  return { kind: 'memory', ...it, ...machine, gigabytesPerSecond, copyRatio, ...timing };
}

type Rows = readonly [number, number];

/** Calls on some rows, on the reference; taken before the kernel overwrites what it updates. */
function partsOf(call: KernelCall): { readonly rows: Rows; readonly part: KernelCall }[] {
  const count = rowsOf(call);
  const length = Math.min(checkedRows, count);
  return [0, Math.floor((count - length) / 3), count - length].map((first) => {
    const rows: Rows = [first, first + length];
    const moved = Object.entries(call.operands).map(([name, whole]) => [name, movedRows(whole, rows, count)]);
    return { rows, part: { ...call, operands: Object.fromEntries(moved) as Record<string, Tensor> } };
  });
}

/** The first size of the first operand; what has it as its own first size has a part for each row. */
function rowsOf({ operands }: KernelCall): number {
  return (Object.values(operands)[0] as Tensor).shape[0] as number;
}

function movedRows(whole: Tensor, rows: Rows, count: number): Tensor {
  const part = whole.shape[0] === count ? slice(whole, 0, ...rows) : whole;
  return tensor(part.toArray(), part.shape, { dtype: part.dtype, backend: reference });
}

/** Sums over all rows (gradients of weights) have no part that could be recomputed; the conformance suite has them. */
function check(operation: string, call: KernelCall, rows: Rows, part: KernelCall): void {
  run(part);
  for (const { name, written } of signatures[call.kernel].operands) {
    const [got, truth] = [call.operands[name], part.operands[name]];
    if (!(written && got && truth) || got.shape[0] !== rowsOf(call)) continue;
    expectClose(`${operation}: ${name} of rows ${rows.join(' to ')}`, slice(got, 0, ...rows), truth);
  }
}
