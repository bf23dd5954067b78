/** Absolute positions, added to the embedded tokens. */

import { ShapeError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';
import { tensor } from '../tensor/create.js';
import { add } from '../tensor/elementwise.js';
import { keep } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { slice } from '../tensor/views.js';
import { normalParameter } from './initialise.js';
import { Module } from './module.js';

/** Adds one vector per position to x [B, L, E], the first position being `start`. */
export abstract class Positions extends Module {
  /** Vectors by position [length, E]. */
  protected abstract table(): Tensor;

  forward(x: Tensor, start = 0): Tensor {
    const table = this.table();
    const [length, wanted] = [table.shape[0] as number, start + (x.shape[1] as number)];
    if (wanted > length) {
      throw new ShapeError(
        `positions: expected at most ${length} positions, got ${wanted}; shorten the input or build the model with a larger maxLength`,
      );
    }
    return add(x, slice(table, 0, start, wanted)); // [B, L, E]
  }
}

/** One learned vector a position (Gehring et al. 2017; BERT). Drawn with deviation 0.02. */
export class LearnedPositions extends Positions {
  readonly weight: Tensor;

  constructor(length: number, width: number, random: RandomStream) {
    super();
    this.weight = normalParameter([length, width], 0.02, random);
  }

  protected override table(): Tensor {
    return this.weight;
  }
}

/** Fixed waves: `sin(p / 10000^(2i/E))` in the even columns, `cos` in the odd ones (Vaswani et al. 2017, §3.5). */
export class SinusoidalPositions extends Positions {
  readonly #table: Tensor;

  constructor(length: number, width: number) {
    super();
    const values = Float32Array.from({ length: length * width }, (_, index) =>
      wave(Math.floor(index / width), index % width, width),
    );
    this.#table = keep(tensor(values, [length, width]));
  }

  protected override table(): Tensor {
    return this.#table;
  }
}

function wave(position: number, column: number, width: number): number {
  const angle = position / 10000 ** ((2 * Math.floor(column / 2)) / width);
  return column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
}
