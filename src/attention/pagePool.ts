/**
 * Which pages of a common memory are in use, and by how many sequences. Numbers only, no memory. A sequence that grows
 * gets the page behind its last one where that is free, so that its pages stay neighbours. Next: pagedCache.ts.
 */

import { StateError } from '../core/errors.js';

/** Counts of users by page; a page shared by several sequences is copied before one of them writes. */
export class PagePool {
  readonly #users: Int32Array;

  constructor(pages: number) {
    this.#users = new Int32Array(pages);
  }

  /** Pages without a user. */
  get free(): number {
    return this.#users.reduce((count, users) => count + Number(users === 0), 0);
  }

  /**
   * A free page: the one behind `last`, or else one with much free room behind it.
   *
   * Errors: StateError when all are in use.
   */
  take(last: number | undefined): number {
    const next = last === undefined ? -1 : last + 1;
    const page = this.#users[next] === 0 ? next : this.#roomiest();
    this.#users[page] = 1;
    return page;
  }

  /** One more sequence uses the page. */
  share(page: number): void {
    (this.#users[page] as number) += 1;
  }

  /** One sequence less uses the page. */
  release(page: number): void {
    (this.#users[page] as number) -= 1;
  }

  /** Sequences that use the page. */
  users(page: number): number {
    return this.#users[page] as number;
  }

  /** The start of the largest gap; its middle when a page in use comes before, which may want to grow. */
  #roomiest(): number {
    let [best, size, start] = [-1, 0, 0];
    for (let page = 0; page <= this.#users.length; page++) {
      if (this.#users[page] === 0) continue;
      if (page - start > size) [best, size] = [start, page - start];
      start = page + 1;
    }
    if (size === 0)
      throw new StateError(
        `PagedCache: expected a free page, got ${this.#users.length} pages all in use; truncate or dispose sequences, or build the cache with more pages`,
      );
    return best === 0 ? 0 : best + Math.floor(size / 2);
  }
}
