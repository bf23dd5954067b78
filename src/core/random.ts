/**
 * Seeded random numbers whose state can be stored and restored, so that a resumed run continues with the same bits.
 * Generator: xoroshiro128+ of `pure-rand`.
 */

import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { StateError } from './errors.js';
import { hash32 } from './hash.js';

/** A stream of random numbers. */
export class RandomStream {
  readonly #seed: number;
  #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    if (!Number.isSafeInteger(seed)) throw new StateError(`RandomStream: expected a whole seed, got ${seed}`);
    this.#seed = seed;
    this.#generator = xoroshiro128plus(hash32(String(seed)));
  }

  /** Whole number in [0, 2^32). */
  uint32(): number {
    return this.#generator.next() >>> 0;
  }

  /** Number in [0, 1) with 32 random bits. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** Standard normal number (Box and Muller 1958); two uniforms each, so no half is kept back. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.uniform() * below);
  }

  /** Shuffles in place (Fisher and Yates) and returns its argument. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      [items[last], items[other]] = [items[other] as T, items[last] as T];
    }
    return items;
  }

  /** A stream of its own for `label`; the same whatever has been drawn from this one. */
  fork(label: string): RandomStream {
    return new RandomStream(hash32(`${this.#seed}/${label}`));
  }

  /** All of it, for a checkpoint. */
  state(): number[] {
    return [this.#seed, ...this.#generator.getState()];
  }

  static restore(state: readonly number[]): RandomStream {
    const [seed, ...rest] = state;
    // A generator of all zeros would give nothing else for ever.
    if (
      seed === undefined ||
      rest.length !== 4 ||
      !state.every(Number.isSafeInteger) ||
      rest.every((part) => part === 0)
    ) {
      throw new StateError(
        `RandomStream.restore: expected a seed and 4 whole numbers that are not all 0, got ${JSON.stringify(state)}`,
      );
    }
    const stream = new RandomStream(seed);
    stream.#generator = xoroshiro128plusFromState(rest);
    return stream;
  }
}
