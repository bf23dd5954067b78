/**
 * What the gradients of lse and of the statistics of one query row add to ds, the gradient of its scores:
 *
 *   lse: p_ij·d        entropy: -p_ij·(s_ij - lse_i + entropy_i)·d        Σ_j p²: 2·p_ij·(p_ij - squareSum_i)·d
 *   distance and masses, all of the form Σ_j p_ij·f_ij: p_ij·(f_ij - value_i)·d
 *
 * p is the weight before dropout. Next: attentionBackward.ts, which adds it.
 */

import { BackendError } from '../../core/errors.js';
import { statistics as statisticNames } from '../../core/statistics.generated.js';
import type { ReferenceOperands } from './kernel.js';

type Name = (typeof statisticNames)[number];
type Operands = ReferenceOperands<'attention_backward_f32'>;

/** For each statistic with a derivative, d statistic / ds_ij divided by p_ij; `at` is j - i - offset. */
const derivatives: Readonly<
  Partial<Record<Name, (value: number, at: number, j: number, x: number, p: number) => number>>
> = {
  entropyNats: (value, _at, _j, x) => -(x + value),
  squareSum: (value, _at, _j, _x, p) => 2 * (p - value),
  meanDistance: (value, at) => Math.abs(at) - value,
  firstMass: (value, _at, j) => Number(j === 0) - value,
  selfMass: (value, at) => Number(at === 0) - value,
  previousMass: (value, at) => Number(at === -1) - value,
  nextMass: (value, at) => Number(at === 1) - value,
};

/** One query row at a time. */
export class StatisticsGradient {
  readonly #operands: Operands;
  readonly #offset: number;
  #row: readonly [b: number, h: number, i: number] = [0, 0, 0];

  constructor(operands: Operands, offset: number) {
    if (operands.dstatistics && !operands.statistics)
      throw new BackendError('attention_backward_f32: expected statistics beside dstatistics, got undefined');
    this.#operands = operands;
    this.#offset = offset;
  }

  moveTo(b: number, h: number, i: number): void {
    this.#row = [b, h, i];
  }

  /** What is added to ds_ij, with x_ij = s_ij - lse_i and p_ij = e^x. */
  derivative(j: number, x: number, p: number): number {
    if (p === 0) return 0;
    const { dlse, dstatistics, statistics } = this.#operands;
    let sum = dlse?.at(...this.#row) ?? 0;
    if (!dstatistics || !statistics) return p * sum;
    const at = j - this.#row[2] - this.#offset;
    for (const [index, name] of statisticNames.entries()) {
      const rule = derivatives[name];
      if (rule) sum += dstatistics.at(index, ...this.#row) * rule(statistics.at(index, ...this.#row), at, j, x, p);
    }
    return p * sum;
  }
}
