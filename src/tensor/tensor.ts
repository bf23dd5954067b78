/**
 * Tensor: a strided window on shared memory, plus its place in the autograd graph. It holds data and lifetimes only;
 * operations are free functions (elementwise.ts, linearAlgebra.ts, …). Next: operation.ts, then scope.ts.
 */

import type { Backend, DeviceBuffer, DType, HostArray, View } from '../backend/contract.js';
import { ShapeError, StateError } from '../core/errors.js';
import { formatShape, isPacked, packedStrides, sizeOf } from '../core/shape.js';
import { type Tracked, track } from './ledger.js';
import { Storage } from './storage.js';

/** The graph node that made a tensor (operation.ts). */
export interface Producer {
  readonly name: string;
  /** Later nodes have higher numbers, so descending order is a topological order. */
  readonly order: number;
  /** False once backward has run through the node or all of its outputs are gone. */
  readonly open: boolean;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  hold(): void;
  release(): void;
  /** Puts the finalizer under all memory that the graph up to here keeps. */
  guard(): void;
  /** `guard` for this node alone; returns the nodes to go on with. */
  guardOwn(): readonly Producer[];
  /** Frees what the node keeps; a second backward through it is an error. */
  close(): void;
  differentiate(gradients: readonly (Tensor | undefined)[]): readonly (Tensor | undefined)[];
}

/**
 * An n-dimensional array of one element type on one backend. Made by the functions of create.ts and by operations.
 *
 * Memory is reclaimed by `scope`, `dispose` or `using`; a finalizer is the net under them. Using a disposed tensor is a
 * StateError.
 */
export class Tensor implements View, Tracked {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  /** Number of elements. */
  readonly size: number;
  /** Whether `backward` follows this tensor; results of operations inherit it. Set it on leaves only. */
  requiresGrad = false;
  /** What `backward` added up for a leaf with `requiresGrad`. Clear with `zeroGradients`. */
  grad: Tensor | undefined = undefined;
  /** @internal The node that made this tensor; undefined for a leaf. */
  producer: Producer | undefined = undefined;
  /** @internal */
  readonly storage: Storage;
  /** @internal */
  escaping = false;
  #kept = false;
  #disposed = false;

  /** @internal Takes over one reference of `storage`; use `allocate` or `window`. */
  constructor(storage: Storage, shape: readonly number[], strides: readonly number[], offset: number) {
    this.storage = storage;
    this.shape = shape;
    this.strides = strides;
    this.offset = offset;
    this.size = sizeOf(shape);
    track(this);
  }

  get dtype(): DType {
    return this.storage.dtype;
  }

  get backend(): Backend {
    return this.storage.pool.backend;
  }

  get buffer(): DeviceBuffer {
    return this.#memory('tensor.buffer');
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  /** @internal True for what no scope frees: parameters, gradients of leaves, and tensors passed to `keep`. */
  get kept(): boolean {
    return this.#kept || (this.requiresGrad && this.producer === undefined);
  }

  /** @internal */
  markKept(): void {
    this.#kept = true;
  }

  /** @internal */
  guard(): void {
    this.storage.guard();
    this.producer?.guard();
  }

  /** A copy of the elements in row-major order. On a device without host memory, use `read`. */
  toArray(): HostArray {
    const buffer = this.#memory('toArray');
    if (this.size === 0) return this.backend.read(buffer, this.offset, 0);
    if (isPacked(this.shape, this.strides)) return this.backend.read(buffer, this.offset, this.size);
    const span = this.shape.reduce((last, size, axis) => last + (size - 1) * (this.strides[axis] as number), 1);
    return gatherStrided(this.backend.read(buffer, this.offset, span), this.shape, this.strides);
  }

  /** `toArray` as a promise, which every backend can serve. */
  async read(): Promise<HostArray> {
    return this.toArray();
  }

  /** The only element of a tensor of size 1. */
  item(): number {
    const buffer = this.#memory('item');
    if (this.size !== 1) throw new ShapeError(`item: expected a tensor of 1 element, got ${formatShape(this.shape)}`);
    return this.backend.read(buffer, this.offset, 1)[0] as number;
  }

  /** Overwrites all elements, given in row-major order. The tensor must be packed. */
  write(values: ArrayLike<number>): void {
    const buffer = this.#memory('write');
    if (values.length !== this.size || !isPacked(this.shape, this.strides)) {
      const packed = isPacked(this.shape, this.strides) ? '' : ' into a packed tensor (this one is strided)';
      throw new ShapeError(
        `write: expected ${this.size} values for ${formatShape(this.shape)}${packed}, got ${values.length}`,
      );
    }
    this.backend.write(buffer, this.offset, values);
  }

  /** Gives up this handle, its gradient too. Memory that a graph or another view still needs stays until they go. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.escaping = false;
    this.producer?.release();
    this.grad?.dispose();
    this.storage.release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** @internal A fresh handle on the same elements, outside of the graph; works on a disposed tensor a graph holds. */
  alias(): Tensor {
    return this.window(this.shape, this.strides, this.offset);
  }

  /** @internal Another window on the same memory. */
  window(shape: readonly number[], strides: readonly number[], offset: number): Tensor {
    this.storage.retain();
    return new Tensor(this.storage, shape, strides, offset);
  }

  #memory(caller: string): DeviceBuffer {
    const { buffer } = this.storage;
    if (this.#disposed || buffer === undefined) throw disposedError(caller, this);
    return buffer;
  }
}

/** The error for a tensor whose scope has closed or that was disposed. */
export function disposedError(caller: string, tensor: Tensor): StateError {
  return new StateError(
    `${caller}: expected a live tensor, got a disposed one of shape ${formatShape(tensor.shape)}; return it from its scope or keep() it`,
    { shape: tensor.shape },
  );
}

/** A packed tensor of uninitialised memory. */
export function allocate(backend: Backend, dtype: DType, shape: readonly number[]): Tensor {
  return new Tensor(new Storage(backend, dtype, sizeOf(shape)), shape, packedStrides(shape), 0);
}

function gatherStrided(source: HostArray, shape: readonly number[], strides: readonly number[]): HostArray {
  const target = new (source.constructor as new (length: number) => HostArray)(sizeOf(shape));
  const index = new Array<number>(shape.length).fill(0);
  let from = 0;
  for (let to = 0; to < target.length; to++) {
    target[to] = source[from] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const stride = strides[axis] as number;
      const next = (index[axis] as number) + 1;
      from += stride;
      if (next < (shape[axis] as number)) {
        index[axis] = next;
        break;
      }
      from -= next * stride;
      index[axis] = 0;
    }
  }
  return target;
}
