/**
 * Free lists of device buffers, one pool a backend, keyed by dtype and size class, so that a warm training step
 * allocates nothing. Knows nothing of tensors. Next: storage.ts, which owns what the pool hands out.
 */

import type { Backend, DeviceBuffer, DType } from '../backend/contract.js';

const smallestClass = 16;

/**
 * Elements that are really allocated for `length`: the next of 4, 5, 6, 7 times a power of two, so at most a quarter
 * is wasted (below 16 elements: 16).
 */
export function sizeClass(length: number): number {
  if (length <= smallestClass) return smallestClass;
  const step = 2 ** (Math.floor(Math.log2(length)) - 2);
  return Math.ceil(length / step) * step;
}

/** The buffers of one backend: how many are in use, and the free ones. */
export class Pool {
  readonly backend: Backend;
  readonly #free: Record<DType, Map<number, DeviceBuffer[]>> = { f32: new Map(), i32: new Map(), u8: new Map() };
  #live = 0;
  #pooled = 0;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  get live(): number {
    return this.#live;
  }

  get pooled(): number {
    return this.#pooled;
  }

  /** Uninitialised memory of at least `length` elements, a reused buffer when one of its class is free. */
  take(dtype: DType, length: number): DeviceBuffer {
    const size = sizeClass(length);
    const reused = this.#free[dtype].get(size)?.pop();
    if (reused !== undefined) this.#pooled--;
    const buffer = reused ?? this.#allocate(dtype, size);
    this.#live++;
    return buffer;
  }

  give(buffer: DeviceBuffer): void {
    const lists = this.#free[buffer.dtype];
    const list = lists.get(buffer.length);
    if (list === undefined) lists.set(buffer.length, [buffer]);
    else list.push(buffer);
    this.#live--;
    this.#pooled++;
  }

  /** Hands every free buffer back to the backend. */
  drain(): void {
    for (const lists of Object.values(this.#free)) {
      for (const list of lists.values()) for (const buffer of list) this.backend.free(buffer);
      lists.clear();
    }
    this.#pooled = 0;
  }

  /** A full device may still have room once the free lists of other size classes are returned. */
  #allocate(dtype: DType, size: number): DeviceBuffer {
    try {
      return this.backend.alloc(dtype, size);
    } catch (error) {
      if (this.#pooled === 0) throw error;
      this.drain();
      return this.backend.alloc(dtype, size);
    }
  }
}

const pools = new WeakMap<Backend, Pool>();

export function poolOf(backend: Backend): Pool {
  let pool = pools.get(backend);
  if (pool === undefined) {
    pool = new Pool(backend);
    pools.set(backend, pool);
  }
  return pool;
}

/** Buffers that tensors of this backend hold now. */
export function liveBuffers(backend: Backend): number {
  return poolOf(backend).live;
}

/** Free buffers kept for reuse. `liveBuffers + pooledBuffers` stays constant over a warm training step. */
export function pooledBuffers(backend: Backend): number {
  return poolOf(backend).pooled;
}

/** Returns the free buffers to the backend, for instance after the last step of a training run. */
export function drainPool(backend: Backend): void {
  poolOf(backend).drain();
}
