/**
 * Shared ownership of one device buffer: every tensor handle and every graph node that needs the memory counts as one
 * reference; at none the buffer returns to its pool. Next: tensor.ts (handles), operation.ts (nodes).
 */

import type { Backend, DeviceBuffer, DType } from '../backend/contract.js';
import { type Pool, poolOf } from './pool.js';

interface Estate {
  readonly pool: Pool;
  readonly buffer: DeviceBuffer;
}

/** The net under the scopes: memory whose last handle was dropped without a word goes back to the pool. */
const lostStorages = new FinalizationRegistry<Estate>(({ pool, buffer }) => pool.give(buffer));

export class Storage {
  readonly pool: Pool;
  readonly dtype: DType;
  #buffer: DeviceBuffer | undefined;
  #references = 1;
  #guarded = false;

  constructor(backend: Backend, dtype: DType, length: number) {
    this.pool = poolOf(backend);
    this.dtype = dtype;
    this.#buffer = this.pool.take(dtype, length);
  }

  /** The memory, or undefined once it has been freed. */
  get buffer(): DeviceBuffer | undefined {
    return this.#buffer;
  }

  get references(): number {
    return this.#references;
  }

  retain(): void {
    this.#references++;
  }

  release(): void {
    this.#references--;
    if (this.#references > 0 || this.#buffer === undefined) return;
    if (this.#guarded) lostStorages.unregister(this);
    this.pool.give(this.#buffer);
    this.#buffer = undefined;
  }

  /** Puts the finalizer under this memory. Called when no scope watches it; cheap scopes are why it is not always on. */
  guard(): void {
    if (this.#guarded || this.#buffer === undefined) return;
    this.#guarded = true;
    lostStorages.register(this, { pool: this.pool, buffer: this.#buffer }, this);
  }
}
