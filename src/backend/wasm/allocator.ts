/**
 * Memory inside a WASM module's linear memory: free lists by size class over a heap that only grows. A freed block is
 * used again by the next request of its class; a class wastes at most a quarter.
 */

import { BackendError } from '../../core/errors.js';

const page = 65_536;
const smallest = 64;

/** Bytes that a request of `bytes` gets: 64·2^k, or one of the three sizes between that and its double. */
export function sizeClass(bytes: number): number {
  if (bytes <= 4 * smallest) return Math.max(smallest, Math.ceil(bytes / smallest) * smallest);
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

/** Hands out blocks that start at multiples of 64. */
export class Allocator {
  readonly #memory: WebAssembly.Memory;
  readonly #free = new Map<number, number[]>();
  #top: number;

  /** `start` is the first byte that the module does not use itself. */
  constructor(memory: WebAssembly.Memory, start: number) {
    this.#memory = memory;
    this.#top = Math.ceil(start / smallest) * smallest;
  }

  /** Address of at least `bytes` bytes. Throws BackendError when the memory cannot grow. */
  allocate(bytes: number): number {
    const size = sizeClass(bytes);
    return this.#free.get(size)?.pop() ?? this.#extend(size);
  }

  /** Gives back what `allocate(bytes)` returned. */
  release(address: number, bytes: number): void {
    const size = sizeClass(bytes);
    const list = this.#free.get(size);
    if (list === undefined) this.#free.set(size, [address]);
    else list.push(address);
  }

  #extend(size: number): number {
    const address = this.#top;
    const lacking = address + size - this.#memory.buffer.byteLength;
    if (lacking > 0) this.#grow(Math.ceil(lacking / page));
    this.#top = address + size;
    return address;
  }

  #grow(pages: number): void {
    try {
      this.#memory.grow(pages);
    } catch {
      throw new BackendError(`wasm: expected ${pages} more pages of memory, got none; WASM memory ends at 4 GiB`, {
        pages,
      });
    }
  }
}
