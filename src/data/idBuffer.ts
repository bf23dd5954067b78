/** A growing row of ids: arrays of numbers would take twice the memory of a long text. */

export class IdBuffer {
  #ids = new Uint32Array(1024);
  #length = 0;

  push(id: number): void {
    if (this.#length === this.#ids.length) {
      const larger = new Uint32Array(2 * this.#length);
      larger.set(this.#ids);
      this.#ids = larger;
    }
    this.#ids[this.#length++] = id;
  }

  /** Everything pushed so far. */
  take(): Uint32Array {
    return this.#ids.slice(0, this.#length);
  }
}
