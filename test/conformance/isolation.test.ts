/**
 * N14 to N17: fully masked rows, forbidden keys that hold poison, NaN that stays in its row, and recording that changes
 * nothing.
 */

import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/contract.js';
import { statistics as statisticNames } from '../../src/core/statistics.generated.js';
import { type Case, type Input, input, listed } from './case.js';
import { type AttentionCases, attentionCases, type Problem } from './cases/attention.js';
import { attention } from './cases/attentionProblems.js';
import { execute, type Results, sameBits } from './run.js';
import { forEachSubject } from './suite.js';

const [B, H, G, L, S, D] = [2, 4, 2, 37, 41, 9] as const;
const poisons = [Number.NaN, Infinity, -Infinity, 3e38, -3e38];

/** Key j of batch entry b is forbidden for every row. */
const forbidden = (b: number, j: number): boolean => (j * 7 + b) % 3 === 0 || j >= 35 + b;

const maskings: Readonly<Record<string, Partial<Problem>>> = {
  'boolean mask': {
    mask: input([B, H, L, S], (index) => Number(!forbidden(Math.floor(index / (H * L * S)), index % S)), {
      dtype: 'u8',
    }),
  },
  'boolean mask, repeated': {
    mask: input([B, H, L, S], (index) => Number(!forbidden(Math.floor(index / S), index % S)), {
      dtype: 'u8',
      broadcast: [1, 2],
    }),
  },
  'bias of -Infinity': {
    bias: input([B, H, L, S], (index) =>
      forbidden(Math.floor(index / (H * L * S)), index % S) ? -Infinity : (index % 13) / 13,
    ),
  },
};

function problem(extra: Partial<Problem>): AttentionCases {
  return attentionCases({ B, H, G, L, S, D, ...extra }, 77);
}

/** The same case with the rows of k and v at forbidden keys replaced. */
function poisoned(it: Case, poison: number, isForbidden: (b: number, j: number) => boolean): Case {
  const spoil = ({ shape, stored, values, dtype }: Input): Input => {
    const [, heads, keys, width] = shape as [number, number, number, number];
    const hit = (index: number): boolean =>
      isForbidden(Math.floor(index / (heads * keys * width)), Math.floor(index / width) % keys);
    return { shape, stored, dtype, values: Float32Array.from(values, (value, index) => (hit(index) ? poison : value)) };
  };
  const { k, v } = it.inputs;
  return { ...it, inputs: { ...it.inputs, ...(k && { k: spoil(k) }), ...(v && { v: spoil(v) }) } };
}

function expectSameBits(backend: Backend, it: Case, isForbidden: (b: number, j: number) => boolean): void {
  const clean = execute(backend, poisoned(it, 0, isForbidden));
  for (const poison of poisons)
    sameBits(`${it.kernel} with ${poison}`, execute(backend, poisoned(it, poison, isForbidden)), clean);
}

/** Throws unless exactly the elements of `hit` rows are NaN and all others are as before. */
function expectNaNIn(dirty: Results, clean: Results, hit: (head: number, i: number) => boolean): void {
  const [mine, before] = [dirty.out as Float64Array, clean.out as Float64Array];
  const at = mine.findIndex((value, index) => {
    const row = Math.floor(index / D);
    return hit(Math.floor(row / L), row % L) ? !Number.isNaN(value) : !Object.is(value, before[index]);
  });
  if (at >= 0)
    throw new Error(
      `head ${Math.floor(at / D / L)} row ${Math.floor(at / D) % L}: got ${mine[at]}, before ${before[at]}`,
    );
}

const all = (results: Results): number[] => Object.values(results).flatMap((values) => [...values]);

forEachSubject((backend) => {
  describe('N15: forbidden keys never influence anything', () => {
    it.each(Object.keys(maskings))('%s', (name) => {
      const cases = problem(maskings[name] as Partial<Problem>);
      for (const it of Object.values(cases)) expectSameBits(backend, it, forbidden);
    });

    it.each([
      ['key lengths', { lengths: listed([B], [29, 29], { dtype: 'i32' }) }, (_: number, j: number) => j >= 29],
      ['causal', { options: { right: 0, offset: -8 } }, (_: number, j: number) => j > 28],
      ['window', { options: { left: 3, right: 2, offset: 0 }, L: 20 }, (_: number, j: number) => j > 21],
    ] as const)('%s', (_, extra, isForbidden) => {
      for (const it of Object.values(problem(extra))) expectSameBits(backend, it, isForbidden);
    });

    it('a key forbidden for some rows spoils only the others', () => {
      const { forward, weights } = problem({ options: { right: 0 } });
      const late = (_: number, j: number): boolean => j >= 20; // rows 0 to 19 must not see these
      const clean = execute(backend, forward);
      expectNaNIn(execute(backend, poisoned(forward, Number.NaN, late)), clean, (_, i) => i >= 20);
      const pattern = execute(backend, poisoned(weights, Number.NaN, late)).weights as Float64Array;
      expect(pattern[0]).toBeCloseTo(1, 6);
      expect([...pattern.subarray(1, S)]).toEqual(Array(S - 1).fill(0));
    });
  });

  describe('N14: rows without a key', () => {
    const skipped = (index: number): boolean => (Math.floor(index / S) % L) % 5 === 2;
    const empty: readonly (readonly [string, Partial<Problem>, (b: number, i: number) => boolean])[] = [
      [
        'boolean mask',
        { mask: input([B, H, L, S], (index) => Number(!skipped(index)), { dtype: 'u8' }) },
        (_, i) => i % 5 === 2,
      ],
      [
        'bias of -Infinity',
        { bias: input([B, H, L, S], (index) => (skipped(index) ? -Infinity : (index % 7) / 7)) },
        (_, i) => i % 5 === 2,
      ],
      ['causal with a negative offset', { options: { right: 0, offset: -9 } }, (_, i) => i < 9],
      ['length 0', { lengths: listed([B], [0, 17], { dtype: 'i32' }) }, (b) => b === 0],
      ['all of them', { mask: input([B, H, L, S], () => 0, { dtype: 'u8', broadcast: [0, 1, 2, 3] }) }, () => true],
      [
        'padding and causal',
        { lengths: listed([B], [3, 0], { dtype: 'i32' }), options: { left: 2, right: 0 } },
        (b, i) => b === 1 || i > 4,
      ],
    ];
    it.each(empty)('%s', (_, extra, isEmpty) => {
      const { forward, backward, backwardOfRecord, weights, transposed } = problem(extra);
      const run = (it: Case): Results => execute(backend, it);
      const [ahead, back, through, pattern] = [run(forward), run(backward), run(backwardOfRecord), run(weights)];
      for (const results of [back, through, pattern, run(transposed)])
        expect(all(results).some(Number.isNaN)).toBe(false);
      for (let row = 0; row < B * H * L; row++) {
        if (!isEmpty(Math.floor(row / (H * L)), row % L)) continue;
        expect(ahead.lse?.[row]).toBe(-Infinity);
        for (const values of [ahead.out, back.dq, through.dq])
          expect(values?.subarray(row * D, (row + 1) * D).every((x) => x === 0)).toBe(true);
        expect(pattern.weights?.subarray(row * S, (row + 1) * S).every((x) => Object.is(x, 0))).toBe(true);
        for (let s = 0; s < statisticNames.length; s++) expect(ahead.statistics?.[s * B * H * L + row]).toBe(0);
      }
    });
  });

  describe('N16: NaN stays where it belongs', () => {
    it('in a query: only that row', () => {
      const { forward } = problem({});
      const q = forward.inputs.q as Input;
      const row = 1 * H * L + 2 * L + 5;
      const values = Float32Array.from(q.values, (x, index) => (index === row * D + 3 ? Number.NaN : x));
      const dirty = execute(backend, { ...forward, inputs: { ...forward.inputs, q: { ...q, values } } });
      expectNaNIn(dirty, execute(backend, forward), (head, i) => head * L + i === row);
    });

    it('in a key: exactly the rows that attend to it', () => {
      const { forward } = problem({ options: { left: 4, right: 0 } });
      const k = forward.inputs.k as Input;
      const key = 17; // of batch entry 0, key head 1: rows 17 to 21 of heads 2 and 3
      const values = Float32Array.from(k.values, (x, index) => (Math.floor(index / D) === S + key ? Number.NaN : x));
      const dirty = execute(backend, { ...forward, inputs: { ...forward.inputs, k: { ...k, values } } });
      const attends = (head: number, i: number): boolean => (head === 2 || head === 3) && i >= key && i <= key + 4;
      expectNaNIn(dirty, execute(backend, forward), attends);
    });
  });

  it('N14: r of a row without a key reaches nothing, even NaN', () => {
    const { transposed } = problem({ options: { right: 0, offset: -9 }, C: 3 });
    const r = transposed.inputs.r as Input;
    const withFirstRows = (value: number): Results => {
      const values = Float32Array.from(r.values, (x, index) => (Math.floor(index / 3) % L < 9 ? value : x));
      return execute(backend, { ...transposed, inputs: { ...transposed.inputs, r: { ...r, values } } });
    };
    const clean = withFirstRows(0);
    for (const poison of poisons) sameBits(`r of ${poison}`, withFirstRows(poison), clean);
  });

  it('N14: gradients of lse and the statistics of a row without a key reach nothing, even NaN', () => {
    const { backwardOfRecord: recorded } = problem({ options: { right: 0, offset: -9 } });
    const withFirstRows = (value: number): Results => {
      const spoilt = ['dlse', 'dstatistics'].map((name) => {
        const old = recorded.inputs[name] as Input;
        return [name, { ...old, values: Float32Array.from(old.values, (x, index) => (index % L < 9 ? value : x)) }];
      });
      return execute(backend, { ...recorded, inputs: { ...recorded.inputs, ...Object.fromEntries(spoilt) } });
    };
    const clean = withFirstRows(0);
    for (const poison of poisons) sameBits(`gradients of ${poison}`, withFirstRows(poison), clean);
  });

  it('gradients of zero for lse and the statistics change no bit of the gradients', () => {
    for (const { backward, backwardOfRecord: recorded } of attention) {
      const zero = ({ shape }: Input): Input => input(shape, () => 0);
      const { dlse, dstatistics } = recorded.inputs as Record<string, Input>;
      const inputs = { ...recorded.inputs, dlse: zero(dlse as Input), dstatistics: zero(dstatistics as Input) };
      sameBits(backward.label, execute(backend, { ...recorded, inputs }), execute(backend, backward));
    }
  });

  it('N17: recording changes no bit of out or lse', () => {
    for (const { forward, recorded } of attention) {
      const { out, lse } = forward.outputs as Required<Case['outputs']>;
      const plain = execute(backend, { ...forward, outputs: { out, lse } } as Case);
      for (const it of [forward, recorded]) sameBits(it.label, execute(backend, it), plain);
    }
  });
});
