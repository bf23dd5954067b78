/**
 * N17: every recorded statistic equals that of the explicit weights to 1e-5, and recording changes no bit of a gradient,
 * on every backend. That `out` and `lse` keep their bits: ../conformance/isolation.test.ts.
 */

import { expect, it } from 'vitest';
import { attention } from '../../src/attention/attention.js';
import { computeAttentionWeights, type ExplicitOptions } from '../../src/attention/explicit.js';
import { and, causal, keyPadding, slidingWindow } from '../../src/attention/mask.js';
import type { Backend } from '../../src/backend/contract.js';
import { createReferenceBackend } from '../../src/backend/reference/createReferenceBackend.js';
import { RandomStream } from '../../src/core/random.js';
import { type StatisticName, statisticNames } from '../../src/core/records.js';
import { sizeOf } from '../../src/core/shape.js';
import { backward } from '../../src/tensor/autograd.js';
import { tensor } from '../../src/tensor/create.js';
import { multiply } from '../../src/tensor/elementwise.js';
import { sum } from '../../src/tensor/reduce.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { forEachSubject } from '../conformance/suite.js';

const [B, H, G, L, S, D] = [2, 4, 2, 37, 43, 17] as const;

function noise(backend: Backend, shape: readonly number[], seed: number): Tensor {
  const random = new RandomStream(seed);
  return tensor(
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
    shape,
    { backend },
  );
}

/** q, k, v and, where asked for, a bias. */
function inputsOn(backend: Backend): readonly [Tensor, Tensor, Tensor, Tensor] {
  const shapes = [
    [B, H, L, D],
    [B, G, S, D],
    [B, G, S, D],
    [H, L, S],
  ];
  return shapes.map((shape, index) => noise(backend, shape, index + 1)) as [Tensor, Tensor, Tensor, Tensor];
}

const calls: Readonly<Record<string, (bias: Tensor) => ExplicitOptions>> = {
  dense: () => ({}),
  causal: () => ({ mask: causal(), offset: 6 }),
  'window and padding': () => ({ mask: and(slidingWindow({ left: 5, right: 2 }), keyPadding([31, 0])) }),
  'bias, softcap and scale': (bias) => ({ bias, softcap: 3, scale: 0.7 }),
};

/** One row of explicit weights: p, where the query stands, and its logits, known up to lse. */
interface Row {
  readonly p: readonly number[];
  readonly position: number;
  readonly lse: number;
}

const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const logit = ({ lse }: Row, weight: number): number => (weight > 0 ? lse + Math.log(weight) : 0);
const meanLogit = (row: Row): number => total(row.p.map((weight) => weight * logit(row, weight)));

/** The formulas of contract.ts. A new statistic has to be added here. */
const formulas: Readonly<Partial<Record<StatisticName, (row: Row) => number>>> = {
  keys: ({ p }) => p.filter((weight) => weight > 0).length,
  logitMax: ({ p, lse }) => lse + Math.log(Math.max(...p)),
  logitMin: ({ p, lse }) => lse + Math.log(Math.min(...p.filter((weight) => weight > 0))),
  logitMean: meanLogit,
  logitVariance: (row) => total(row.p.map((weight) => weight * (logit(row, weight) - meanLogit(row)) ** 2)),
  pMax: ({ p }) => Math.max(...p),
  entropyNats: ({ p }) => -total(p.map((weight) => (weight > 0 ? weight * Math.log(weight) : 0))),
  squareSum: ({ p }) => total(p.map((weight) => weight * weight)),
  meanDistance: ({ p, position }) => total(p.map((weight, j) => weight * Math.abs(position - j))),
  windowMass: ({ p, position }) => total(p.map((weight, j) => (Math.abs(position - j) <= 16 ? weight : 0))),
  futureMass: ({ p, position }) => total(p.map((weight, j) => (j > position ? weight : 0))),
  setMass: () => 0,
  firstMass: ({ p }) => p[0] ?? 0,
  selfMass: ({ p, position }) => p[position] ?? 0,
  previousMass: ({ p, position }) => p[position - 1] ?? 0,
  nextMass: ({ p, position }) => p[position + 1] ?? 0,
};

const float64 = createReferenceBackend({ precision: 'f64' });

/** The explicit weights in float64, row by row. */
function explicitRows(name: string): Row[] {
  const [q, k, v, bias] = inputsOn(float64);
  const options = (calls[name] as (bias: Tensor) => ExplicitOptions)(bias);
  const weights = Array.from(computeAttentionWeights(q, k, options).toArray());
  const lse = attention(q, k, v, options).lse.toArray();
  return Array.from(lse, (value, row) => ({
    p: weights.slice(row * S, (row + 1) * S),
    position: (row % L) + (options.offset ?? 0),
    lse: value,
  }));
}

const truths = new Map(Object.keys(calls).map((name) => [name, explicitRows(name)]));

/** Gradients of q, k and v of a loss on `out`. */
function gradientsOf(backend: Backend, name: string, recorded: boolean): ArrayLike<number>[] {
  const [q, k, v, bias] = inputsOn(backend);
  for (const input of [q, k, v]) input.requiresGrad = true;
  const options = (calls[name] as (bias: Tensor) => ExplicitOptions)(bias);
  const { out } = recorded
    ? attention(q, k, v, { ...options, record: { statistics: true, rows: [0, 3] } })
    : attention(q, k, v, options);
  backward(sum(multiply(out, noise(backend, [B, H, L, D], 9))));
  return [q, k, v].map(({ grad }) => Array.from((grad as Tensor).toArray()));
}

it('has a formula for every statistic', () => {
  expect(statisticNames.filter((name) => formulas[name] === undefined)).toEqual([]);
});

forEachSubject((backend) => {
  it.each(Object.keys(calls))('N17: statistics of the explicit weights, %s', (name) => {
    const [q, k, v, bias] = inputsOn(backend);
    const options = (calls[name] as (bias: Tensor) => ExplicitOptions)(bias);
    const { statistics } = attention(q, k, v, { ...options, record: { statistics: true } }).record.read();
    for (const [statistic, formula] of Object.entries(formulas) as [StatisticName, (row: Row) => number][])
      truths.get(name)?.forEach((row, index) => {
        const empty = row.lse === -Infinity;
        const [got, wanted] = [statistics[statistic][index] as number, empty ? 0 : formula(row)];
        const label = `${statistic} of row ${index}`;
        // Relative, with 2e-6 for those that may be 0: the size of an error of `out`.
        expect(Math.abs(got - wanted), label).toBeLessThanOrEqual(2e-6 + 1e-5 * Math.abs(wanted));
      });
  });

  it.each(Object.keys(calls))('N17: recording changes no bit of a gradient, %s', (name) => {
    expect(gradientsOf(backend, name, true)).toEqual(gradientsOf(backend, name, false));
  });
});
