/**
 * The WASM backend: the same C++ kernels in a module that needs no toolchain, in Node and in the browser. One thread.
 * Its memory grows, which detaches every view of it, so views are made where they are used.
 */

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
import { encodeCall, maxNumbers, maxOperands, signatures } from '../signature.js';
import { Allocator } from './allocator.js';
import { instantiate, type WasmExports, type WasmVariant } from './module.js';

export interface WasmOptions {
  /** `relaxed` has fused multiply-add. Default: `relaxed` where the engine has it, else `simd`. */
  readonly variant?: string | undefined;
}

type WasmArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** As element_type in native/call_parser.h. */
const typeCodes: Readonly<Record<DType, number>> = { f32: 0, i32: 1, u8: 2 };
const absent = -1;
const bytesOf = (dtype: DType): number => (dtype === 'u8' ? 1 : 4);

class WasmBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  readonly address: number;
  /** Whose memory the address is in; undefined once freed. */
  owner: Allocator | undefined;

  constructor(dtype: DType, length: number, owner: Allocator) {
    this.dtype = dtype;
    this.length = length;
    this.address = owner.allocate(length * bytesOf(dtype));
    this.owner = owner;
  }
}

class WasmBackend implements Backend {
  readonly info: BackendInfo;
  readonly #exports: WasmExports;
  readonly #allocator: Allocator;
  readonly #area: number;
  #numbers = new Float64Array(0);
  #table = new Int32Array(0);

  constructor(exports: WasmExports, allocator: Allocator, variant: WasmVariant) {
    this.#exports = exports;
    this.#allocator = allocator;
    this.#area = exports.area();
    this.info = { backend: 'wasm', target: `wasm-${variant}`, threads: 1 };
  }

  alloc(dtype: DType, length: number): DeviceBuffer {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new ShapeError(`alloc: expected a whole, non-negative length, got ${length}`);
    return new WasmBuffer(dtype, length, this.#allocator);
  }

  free(buffer: DeviceBuffer): void {
    const own = this.#live(buffer);
    own.owner = undefined;
    this.#allocator.release(own.address, own.length * bytesOf(own.dtype));
  }

  read(buffer: DeviceBuffer, offset: number, length: number): HostArray {
    checkRange('read', buffer, offset, length);
    return this.#view(buffer).slice(offset, offset + length);
  }

  write(buffer: DeviceBuffer, offset: number, values: ArrayLike<number>): void {
    checkRange('write', buffer, offset, values.length);
    this.#view(buffer).set(values, offset);
  }

  /** The module checks every call in full; TypeScript's own check runs only to word what was refused. */
  run<K extends KernelName>(kernel: K, operands: Operands<K>, scalars: Scalars<K>): void {
    const { index, operands: wanted, scalars: names } = signatures[kernel];
    const views = operands as Readonly<Record<string, View | undefined>>;
    const values = scalars as Readonly<Record<string, number>>;
    for (const name of names) if (typeof values[name] !== 'number') throwStatus(kernel, operands, scalars, 9);
    this.#refreshArea();
    wanted.forEach(({ name }, o) => {
      this.#describe(o, views[name]);
    });
    const count = encodeCall(kernel, views, values, this.#numbers);
    const code = this.#exports.run(index, count, wanted.length);
    if (code !== 0) throwStatus(kernel, operands, scalars, code);
  }

  /** Growing the memory detaches the views of the call area. */
  #refreshArea(): void {
    const { buffer } = this.#exports.memory;
    if (this.#numbers.buffer === buffer) return;
    this.#numbers = new Float64Array(buffer, this.#area, maxNumbers);
    this.#table = new Int32Array(buffer, this.#area + 8 * maxNumbers, maxOperands * 3);
  }

  #describe(operand: number, view: View | undefined): void {
    const buffer = view === undefined ? undefined : this.#live(view.buffer);
    this.#table[3 * operand] = buffer?.address ?? 0;
    this.#table[3 * operand + 1] = buffer?.length ?? 0;
    this.#table[3 * operand + 2] = buffer === undefined ? absent : typeCodes[buffer.dtype];
  }

  #view(buffer: DeviceBuffer): WasmArray {
    const { dtype, length, address } = this.#live(buffer);
    const memory = this.#exports.memory.buffer;
    if (dtype === 'f32') return new Float32Array(memory, address, length);
    return dtype === 'i32' ? new Int32Array(memory, address, length) : new Uint8Array(memory, address, length);
  }

  #live(buffer: DeviceBuffer): WasmBuffer {
    if (buffer instanceof WasmBuffer && buffer.owner === this.#allocator) return buffer;
    throw new BackendError('wasm: expected a live buffer of this backend, got a freed or foreign one');
  }
}

function checkRange(call: string, buffer: DeviceBuffer, offset: number, length: number): void {
  const whole = [offset, length].every((value) => Number.isSafeInteger(value) && value >= 0);
  if (!whole || offset + length > buffer.length)
    throw new ShapeError(`${call}: expected a range inside ${buffer.length} elements, got ${length} at ${offset}`);
}

/** The kernels' scratch: one block that grows; 0 when there is no more. */
function scratchOver(allocator: () => Allocator): (bytes: number) => number {
  let [address, size] = [0, 0];
  return (bytes) => {
    if (bytes <= size) return address;
    if (size > 0) allocator().release(address, size);
    [address, size] = [0, 0];
    try {
      address = allocator().allocate(bytes);
      size = bytes;
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
    }
    return address;
  };
}

async function create(variant: WasmVariant): Promise<Backend> {
  let allocator: Allocator;
  const exports = await instantiate(
    variant,
    scratchOver(() => allocator),
  );
  allocator = new Allocator(exports.memory, exports.__heap_base.value as number);
  return new WasmBackend(exports, allocator, variant);
}

/**
 * A WASM backend with its own memory.
 *
 * @throws BackendError when the engine refuses the module or the module is missing.
 */
export async function createWasmBackend({ variant }: WasmOptions = {}): Promise<Backend> {
  if (variant !== undefined) {
    if (variant !== 'relaxed' && variant !== 'simd')
      throw new BackendError(`wasm: expected target relaxed or simd, got ${String(variant)}`);
    return create(variant);
  }
  return create('relaxed').catch(() => create('simd'));
}
