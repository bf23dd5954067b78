/**
 * What the gradients of lse and of the statistics of one query row add to ds, the gradient of its scores:
 *
 *   lse: p_ij·d        entropy: -p_ij·(s_ij - lse_i + entropy_i)·d        Σ_j p²: 2·p_ij·(p_ij - squareSum_i)·d
 *   distance and masses, all of the form Σ_j p_ij·f_ij: p_ij·(f_ij - value_i)·d
 *
 * With a sink of weight p_sink the entropy's term is -p_ij·(s_ij - lse_i + entropy_i + p_sink)·d. The sink itself is a key
 * that no statistic counts: f = 0.
 *
 * p is the weight before dropout. Next: attentionBackward.ts, which adds it.
 */

import { BackendError } from '../../core/errors.js';
import { statistics as statisticNames } from '../../core/statistics.generated.js';
import type { ReferenceOperands } from './kernel.js';

type Name = (typeof statisticNames)[number];
type Operands = ReferenceOperands<'attention_backward_f32'>;

/** One pair of query and key: d is i + offset - j. */
interface Pair {
  readonly j: number;
  readonly d: number;
  readonly x: number;
  readonly p: number;
  readonly lse: number;
  readonly inWindow: boolean;
  readonly inSet: boolean;
  readonly sink: number;
}

/** For each statistic with a derivative, d statistic / ds_ij divided by p_ij. */
const derivatives: Readonly<Partial<Record<Name, (value: number, pair: Pair) => number>>> = {
  logitMean: (value, { x, lse }) => 1 + x + lse - value,
  entropyNats: (value, { x, sink }) => -(x + value + sink),
  squareSum: (value, { p }) => 2 * (p - value),
  meanDistance: (value, { d }) => Math.abs(d) - value,
  windowMass: (value, { inWindow }) => Number(inWindow) - value,
  futureMass: (value, { d }) => Number(d < 0) - value,
  setMass: (value, { inSet }) => Number(inSet) - value,
  firstMass: (value, { j }) => Number(j === 0) - value,
  selfMass: (value, { d }) => Number(d === 0) - value,
  previousMass: (value, { d }) => Number(d === 1) - value,
  nextMass: (value, { d }) => Number(d === -1) - value,
};

/** The same for the sink, whose weight is p: statistics are sums over keys, each of which gives way to it. */
function sinkTerm(name: Name, value: number, p: number): number {
  if (derivatives[name] === undefined) return 0;
  if (name === 'squareSum') return -2 * value;
  return name === 'entropyNats' ? 1 - p - value : -value;
}

/** One query row at a time. */
export class StatisticsGradient {
  readonly #operands: Operands;
  readonly #options: { readonly offset: number; readonly window: number };
  #row: readonly [b: number, h: number, i: number] = [0, 0, 0];

  constructor(operands: Operands, options: { readonly offset: number; readonly window: number }) {
    if (operands.dstatistics && !operands.statistics)
      throw new BackendError('attention_backward_f32: expected statistics beside dstatistics, got undefined');
    this.#operands = operands;
    this.#options = options;
  }

  moveTo(b: number, h: number, i: number): void {
    this.#row = [b, h, i];
  }

  #sinkWeight(): number {
    const { sinks, lse } = this.#operands;
    const [b, h, i] = this.#row;
    return sinks ? Math.exp(sinks.at(h) - lse.at(b, h, i)) : 0;
  }

  /** What is added to the gradient of the sink's logit, divided by its weight. */
  sinkDerivative(): number {
    const { dlse, dstatistics, statistics } = this.#operands;
    const [b, h, i] = this.#row;
    const p = this.#sinkWeight();
    let sum = dlse?.at(b, h, i) ?? 0;
    if (!dstatistics || !statistics) return sum;
    for (const [index, name] of statisticNames.entries())
      sum += dstatistics.at(index, b, h, i) * sinkTerm(name, statistics.at(index, b, h, i), p);
    return sum;
  }

  /** What is added to ds_ij, with x_ij = s_ij - lse_i and p_ij = e^x. */
  derivative(j: number, x: number, p: number): number {
    if (p === 0) return 0;
    const { dlse, dstatistics, statistics, lse, set } = this.#operands;
    const [b, h, i] = this.#row;
    let sum = dlse?.at(b, h, i) ?? 0;
    if (!dstatistics || !statistics) return p * sum;
    const d = i + this.#options.offset - j;
    const [inWindow, inSet] = [Math.abs(d) <= this.#options.window, (set?.at(b, j) ?? 0) !== 0];
    const pair: Pair = { j, d, x, p, lse: lse.at(b, h, i), inWindow, inSet, sink: this.#sinkWeight() };
    for (const [index, name] of statisticNames.entries()) {
      const rule = derivatives[name];
      if (rule) sum += dstatistics.at(index, b, h, i) * rule(statistics.at(index, b, h, i), pair);
    }
    return p * sum;
  }
}
