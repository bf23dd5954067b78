/**
 * What must hold for attention's statistics whatever the inputs (diagnostics.md, "oracles for tests"), on random
 * problems. fast-check prints the seed of a failure.
 */

import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Backend } from '../../src/backend/contract.js';
import { statistics as statisticNames } from '../../src/core/statistics.generated.js';
import { type Case, type Input, input, kernelCase, normal } from '../conformance/case.js';
import { execute, type Results } from '../conformance/run.js';
import { forEachSubject } from '../conformance/suite.js';

const problems = fc.record({
  B: fc.integer({ min: 1, max: 2 }),
  G: fc.integer({ min: 1, max: 2 }),
  share: fc.integer({ min: 1, max: 3 }),
  L: fc.integer({ min: 1, max: 20 }),
  S: fc.integer({ min: 1, max: 40 }),
  D: fc.integer({ min: 1, max: 33 }),
  left: fc.constantFrom(Infinity, 0, 3),
  right: fc.constantFrom(Infinity, 0, 2),
  offset: fc.integer({ min: -3, max: 6 }),
  spread: fc.constantFrom(0.1, 1, 4),
  seed: fc.nat(1e6),
});

type Problem = typeof problems extends fc.Arbitrary<infer Value> ? Value : never;

function forwardCase({ B, G, share, L, S, D, left, right, offset, spread, seed }: Problem, v?: Input): Case {
  const H = G * share;
  const value = v ?? normal([B, G, S, D], seed + 2);
  return kernelCase({
    kernel: 'attention_forward_f32',
    label: `seed ${seed}`,
    inputs: { q: normal([B, H, L, D], seed, { scale: spread }), k: normal([B, G, S, D], seed + 1), v: value },
    outputs: { out: [B, H, L, value.shape[3] as number], lse: [B, H, L], statistics: [16, B, H, L] },
    scalars: {
      scale: 1 / Math.sqrt(D),
      softcap: 0,
      left,
      right,
      offset,
      reach: 0,
      dropoutRate: 0,
      seed: 0,
      stream: 0,
      window: 2,
    },
    tolerance: {},
  });
}

type RowStatistics = Record<(typeof statisticNames)[number], number>;

/** The statistics of each row that has keys, with its lse and position. */
function rowsOf(results: Results): readonly (RowStatistics & { readonly row: number; readonly lse: number })[] {
  const { lse, statistics } = results as Record<'lse' | 'statistics', Float64Array>;
  const rows = Array.from({ length: lse.length }, (_, row) => {
    const values = statisticNames.map((name, s) => [name, statistics[s * lse.length + row] as number]);
    return { ...(Object.fromEntries(values) as RowStatistics), row, lse: lse[row] as number };
  });
  return rows.filter(({ keys }) => keys > 0);
}

/** Masses on the four parts of a random partition of the keys, by using its indicators as values. */
function massesOfPartition(backend: Backend, problem: Problem): Float64Array {
  const { B, G, S, seed } = problem;
  const part = (j: number): number => Math.imul(j + 1, seed | 1) & 3;
  const indicator = input([B, G, S, 4], (index) => Number(part(Math.floor(index / 4) % S) === index % 4));
  return execute(backend, forwardCase(problem, indicator)).out as Float64Array;
}

forEachSubject((backend) => {
  it('masses over a partition of the keys sum to 1', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const masses = massesOfPartition(backend, problem);
        for (const { row } of rowsOf(execute(backend, forwardCase(problem)))) {
          const sum = masses.subarray(4 * row, 4 * row + 4).reduce((a, b) => a + b);
          expect(Math.abs(sum - 1)).toBeLessThanOrEqual(1e-6);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('entropy, peak and participation bound each other', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        for (const row of rowsOf(execute(backend, forwardCase(problem)))) {
          const { keys, pMax, entropyNats, squareSum, firstMass, selfMass, previousMass, nextMass } = row;
          expect(entropyNats).toBeGreaterThanOrEqual(-1e-6);
          expect(entropyNats).toBeLessThanOrEqual(Math.log(keys) + 2e-6);
          expect(entropyNats).toBeGreaterThanOrEqual(-Math.log(pMax) - 2e-6);
          expect(squareSum).toBeGreaterThanOrEqual((1 / keys) * (1 - 1e-5));
          expect(squareSum).toBeLessThanOrEqual(pMax * (1 + 1e-5));
          for (const mass of [firstMass, selfMass, previousMass, nextMass])
            expect(mass).toBeLessThanOrEqual(pMax * (1 + 1e-5));
          expect(selfMass + previousMass + nextMass).toBeLessThanOrEqual(1 + 1e-5);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('entropy = lse - scale·q·(P·K), with K in the place of V', () => {
    fc.assert(
      fc.property(problems, (problem) => {
        const plain = forwardCase(problem);
        const { q, k } = plain.inputs as Record<'q' | 'k', Input>;
        const results = execute(backend, forwardCase(problem, k));
        const { D } = problem;
        for (const { row, lse, entropyNats } of rowsOf(results)) {
          let product = 0;
          for (let d = 0; d < D; d++)
            product += (q.values[row * D + d] as number) * ((results.out as Float64Array)[row * D + d] as number);
          const oracle = lse - product / Math.sqrt(D);
          // The oracle subtracts numbers of the size of lse; the statistic itself does not.
          expect(Math.abs(entropyNats - oracle)).toBeLessThanOrEqual(1e-5 * (1 + Math.abs(lse)));
        }
      }),
      { numRuns: 40 },
    );
  });
});
