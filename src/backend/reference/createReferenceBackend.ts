/**
 * The backend that defines what is true: TypeScript, float64 accumulation, float32 or float64 memory. Slow but always
 * there. What each kernel computes is in contract.ts; the kernels are in the files beside this one.
 */

import { BackendError, ShapeError } from '../../core/errors.js';
import type {
  Backend,
  BackendInfo,
  DeviceBuffer,
  DType,
  HostArray,
  KernelName,
  Operands,
  Scalars,
} from '../contract.js';
import { checkCall, signatures } from '../signature.js';
import type { ReferenceKernel, ReferenceOperands } from './kernel.js';
import { referenceKernels } from './kernels.js';
import { type NumberArray, Strided } from './strided.js';

export interface ReferenceOptions {
  /** What `f32` memory holds. `f64` is for gradient checks. Default `f32`. */
  readonly precision?: 'f32' | 'f64';
}

class ReferenceBuffer implements DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
  data: NumberArray | undefined;

  constructor(dtype: DType, data: NumberArray) {
    this.dtype = dtype;
    this.length = data.length;
    this.data = data;
  }
}

class ReferenceBackend implements Backend {
  readonly info: BackendInfo = { backend: 'reference', target: 'typescript', threads: 1 };
  readonly #precision: 'f32' | 'f64';

  constructor(precision: 'f32' | 'f64') {
    this.#precision = precision;
  }

  /** Float memory starts as NaN, so that reading what nobody wrote shows. */
  alloc(dtype: DType, length: number): DeviceBuffer {
    if (!Number.isSafeInteger(length) || length < 0)
      throw new ShapeError(`alloc: expected a whole, non-negative length, got ${length}`);
    try {
      return new ReferenceBuffer(dtype, this.#array(dtype, length));
    } catch (cause) {
      throw new BackendError(`alloc: expected room for ${length} elements of ${dtype}, got ${String(cause)}`, {
        length,
      });
    }
  }

  free(buffer: DeviceBuffer): void {
    this.#data(buffer);
    (buffer as ReferenceBuffer).data = undefined;
  }

  read(buffer: DeviceBuffer, offset: number, length: number): HostArray {
    this.#checkRange('read', buffer, offset, length);
    return this.#data(buffer).slice(offset, offset + length);
  }

  write(buffer: DeviceBuffer, offset: number, values: ArrayLike<number>): void {
    this.#checkRange('write', buffer, offset, values.length);
    this.#data(buffer).set(values, offset);
  }

  run<K extends KernelName>(kernel: K, operands: Operands<K>, scalars: Scalars<K>): void {
    checkCall(kernel, operands, scalars);
    const views: Record<string, Strided> = {};
    for (const { name } of signatures[kernel].operands) {
      const view = operands[name as keyof Operands<K>];
      if (view !== undefined) views[name] = new Strided(this.#data(view.buffer), view);
    }
    const compute = referenceKernels[kernel] as ReferenceKernel<K>;
    compute(views as ReferenceOperands<K>, scalars);
  }

  #array(dtype: DType, length: number): NumberArray {
    if (dtype === 'i32') return new Int32Array(length);
    if (dtype === 'u8') return new Uint8Array(length);
    return (this.#precision === 'f64' ? new Float64Array(length) : new Float32Array(length)).fill(Number.NaN);
  }

  #data(buffer: DeviceBuffer): NumberArray {
    if (buffer instanceof ReferenceBuffer && buffer.data !== undefined) return buffer.data;
    throw new BackendError('reference: expected a live buffer of a reference backend, got a freed or foreign one');
  }

  #checkRange(call: string, buffer: DeviceBuffer, offset: number, length: number): void {
    const whole = [offset, length].every((value) => Number.isSafeInteger(value) && value >= 0);
    if (!whole || offset + length > buffer.length)
      throw new ShapeError(`${call}: expected a range inside ${buffer.length} elements, got ${length} at ${offset}`);
  }
}

/** The reference backend; each call makes a new one. */
export function createReferenceBackend({ precision = 'f32' }: ReferenceOptions = {}): Backend {
  return new ReferenceBackend(precision);
}
