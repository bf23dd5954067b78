/**
 * The native backend: C++ kernels in a Node-API addon, over typed arrays that start on a cache line. Its memory is the
 * process's own, so reading and writing are plain copies. Next: native/addon.cpp.
 */

import { processorCount } from '#host';
import { BackendError, ShapeError } from '../../core/errors.js';
import { throwStatus } from '../callStatus.js';
import type {
  Backend,
  BackendInfo,
  DeviceBuffer,
  DType,
  HostArray,
  KernelName,
  Operands,
  Scalars,
  View,
} from '../contract.js';
import { encodeCall, maxNumbers, signatures } from '../signature.js';
import { type Addon, addon, type NativeArray } from './addon.js';

export interface NativeOptions {
  /** `avx512`, `avx2`, `neon` or `baseline`. Default: the best that runs here. */
  readonly target?: string | undefined;
  /** Threads, the caller's among them. Default: the machine's, at most 16. */
  readonly threads?: number | undefined;
}

const cacheLine = 64;
/** native/pool.h */
const maxThreads = 64;

class NativeBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  array: NativeArray | undefined;

  constructor(dtype: DType, array: NativeArray) {
    this.dtype = dtype;
    this.length = array.length;
    this.array = array;
  }
}

class NativeBackend implements Backend {
  readonly info: BackendInfo;
  readonly #addon: Addon;
  readonly #numbers = new Float64Array(maxNumbers);
  readonly #target: number;

  constructor(native: Addon, target: number, info: BackendInfo) {
    this.#addon = native;
    this.#target = target;
    this.info = info;
  }

  alloc(dtype: DType, length: number): DeviceBuffer {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new ShapeError(`alloc: expected a whole, non-negative length, got ${length}`);
    try {
      return new NativeBuffer(dtype, aligned(this.#addon, dtype, length));
    } catch (cause) {
      throw new BackendError(`alloc: expected room for ${length} elements of ${dtype}, got ${String(cause)}`, {
        length,
      });
    }
  }

  free(buffer: DeviceBuffer): void {
    arrayOf(buffer);
    (buffer as NativeBuffer).array = undefined;
  }

  read(buffer: DeviceBuffer, offset: number, length: number): HostArray {
    checkRange('read', buffer, offset, length);
    return arrayOf(buffer).slice(offset, offset + length);
  }

  write(buffer: DeviceBuffer, offset: number, values: ArrayLike<number>): void {
    checkRange('write', buffer, offset, values.length);
    arrayOf(buffer).set(values, offset);
  }

  /** The addon checks every call in full; TypeScript's own check runs only to word what was refused. */
  run<K extends KernelName>(kernel: K, operands: Operands<K>, scalars: Scalars<K>): void {
    const { index, operands: wanted, scalars: names } = signatures[kernel];
    const numbers = this.#numbers;
    const views = operands as Readonly<Record<string, View | undefined>>;
    const values = scalars as Readonly<Record<string, number>>;
    for (const name of names) if (typeof values[name] !== 'number') throwStatus(kernel, operands, scalars, 9);
    const call: unknown[] = [this.#target, this.info.threads, index, numbers, 0];
    for (const { name } of wanted) {
      const view = views[name];
      call.push(view === undefined ? null : arrayOf(view.buffer));
    }
    call[4] = encodeCall(kernel, views, values, numbers);
    const code = this.#addon.call(...(call as Parameters<Addon['call']>));
    if (code !== 0) throwStatus(kernel, operands, scalars, code);
  }
}

function aligned(native: Addon, dtype: DType, length: number): NativeArray {
  const size = dtype === 'u8' ? 1 : 4;
  const memory = new ArrayBuffer(length * size + cacheLine);
  const start = (cacheLine - native.misalignment(new Uint8Array(memory))) % cacheLine;
  if (dtype === 'f32') return new Float32Array(memory, start, length);
  return dtype === 'i32' ? new Int32Array(memory, start, length) : new Uint8Array(memory, start, length);
}

function arrayOf(buffer: DeviceBuffer): NativeArray {
  if (buffer instanceof NativeBuffer && buffer.array !== undefined) return buffer.array;
  throw new BackendError('native: expected a live buffer of a native backend, got a freed or foreign one');
}

function checkRange(call: string, buffer: DeviceBuffer, offset: number, length: number): void {
  const whole = [offset, length].every((value) => Number.isSafeInteger(value) && value >= 0);
  if (!whole || offset + length > buffer.length)
    throw new ShapeError(`${call}: expected a range inside ${buffer.length} elements, got ${length} at ${offset}`);
}

function chooseTarget(targets: readonly (string | null)[], wanted: string | undefined): number {
  const found = targets.findIndex((name) => name !== null && (wanted === undefined || name === wanted));
  if (found < 0)
    throw new BackendError(
      `native: expected target ${targets.filter((name) => name !== null).join(', ')}, got ${wanted}; the machine or the build lacks it`,
    );
  return found;
}

/**
 * A native backend with one instruction set and a number of threads; results have the same bits for any number.
 *
 * @throws BackendError when the addon cannot be loaded or the target does not run here.
 */
export function createNativeBackend({ target, threads }: NativeOptions = {}): Backend {
  const native = addon();
  const targets = native.targets();
  const chosen = chooseTarget(targets, target);
  const count = threads ?? Math.min(16, processorCount());
  if (!Number.isSafeInteger(count) || count < 1 || count > maxThreads)
    throw new BackendError(`native: expected threads in [1, ${maxThreads}], got ${count}`);
  return new NativeBackend(native, chosen, { backend: 'native', target: targets[chosen] as string, threads: count });
}
