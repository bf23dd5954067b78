/** The table of a comparison while it runs: repainted in place on a terminal, one line a result elsewhere. */

import Table from 'cli-table3';
import type { Job, Variant } from './comparePlan.js';

export class CompareTable {
  readonly #stream: NodeJS.WriteStream;
  readonly #seeds: number;
  readonly #values: ReadonlyMap<Variant, number[]>;
  readonly #said = new Map<Variant, string>();
  #painted = 0;
  #last = 0;

  constructor(stream: NodeJS.WriteStream, variants: readonly Variant[], seeds: number) {
    this.#stream = stream;
    this.#seeds = seeds;
    this.#values = new Map(variants.map((variant) => [variant, []]));
  }

  /** What a job said last. */
  progress({ variant, seed }: Job, line: string): void {
    this.#said.set(variant, `seed ${seed}: ${line.slice(0, 60)}`);
    if (performance.now() - this.#last > 500) this.#paint();
  }

  /** A job's figure. */
  result({ variant, seed }: Job, value: number): void {
    this.#values.get(variant)?.push(value);
    this.#said.delete(variant);
    if (this.#stream.isTTY) this.#paint();
    else this.#stream.write(`${variant.name}, seed ${seed}: ${value.toFixed(4)}\n`);
  }

  #paint(): void {
    if (!this.#stream.isTTY) return;
    this.#last = performance.now();
    const table = new Table({ head: ['variant', 'seeds', 'mean', 'now'], style: { head: [], border: [] } });
    for (const [variant, values] of this.#values) {
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const shown = values.length === 0 ? '' : mean.toFixed(4);
      table.push([variant.name, `${values.length}/${this.#seeds}`, shown, this.#said.get(variant) ?? '']);
    }
    const text = table.toString();
    if (this.#painted > 0) this.#stream.write(`\u001b[${this.#painted}A\u001b[J`);
    this.#painted = text.split('\n').length;
    this.#stream.write(`${text}\n`);
  }
}
