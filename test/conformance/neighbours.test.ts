/**
 * N12: what a kernel computes for a sequence or row has the same bits alone and inside 50 random batches, whatever the
 * others in the batch hold, NaN included. batch.test.ts takes fixed batches apart; this one builds them.
 */

import { expect, it } from 'vitest';
import type { Backend } from '../../src/backend/contract.js';
import { RandomStream } from '../../src/core/random.js';
import { sizeOf } from '../../src/core/shape.js';
import { batchLetters, entries, knowsItsPlace } from './batching.js';
import type { Case, Input } from './case.js';
import { allCases } from './cases/all.js';
import { axisOf, execute, type Results, sameBits, sizeOfLetter } from './run.js';
import { forEachSubject } from './suite.js';

const batches = 50;
const largest = 1500;

/** Where a case sits in a larger batch. */
interface Place {
  readonly before: number;
  readonly size: number;
  readonly total: number;
}

/** `own` along `axis` at its place; everything around it drawn from its own values, with NaN here and there. */
function surrounded(own: Input, axis: number, { before, size, total }: Place, random: RandomStream): Input {
  const widen = (shape: readonly number[]): number[] =>
    shape.map((length, at) => (at === axis && length === size ? total : length));
  const stored = widen(own.stored);
  const inner = sizeOf(stored.slice(axis + 1));
  const { values } = own;
  const value = (index: number): number => {
    const along = Math.floor(index / inner) % total;
    if (before <= along && along < before + size) {
      const outer = Math.floor(index / (inner * total));
      return values[(outer * size + along - before) * inner + (index % inner)] as number;
    }
    if (own.dtype === 'f32' && random.integer(20) === 0)
      return [Number.NaN, Infinity, -3e38][random.integer(3)] as number;
    return values.length === 0 ? 0 : (values[random.integer(values.length)] as number);
  };
  const made = Array.from({ length: sizeOf(stored) }, (_, index) => value(index));
  return {
    dtype: own.dtype,
    shape: widen(own.shape),
    stored,
    values: own.dtype === 'f32' ? Float32Array.from(made) : made,
  };
}

/** The case as part of a batch of `total` along `letter`. An input that is repeated along it stays as it is. */
function embedded(it: Case, letter: string, place: Place, random: RandomStream): Case {
  const inputs = Object.entries(it.inputs).map(([name, own]) => {
    const axis = axisOf(it.kernel, name, letter);
    if (axis < 0) return [name, own] as const;
    const shape = own.shape.map((length, at) => (at === axis ? place.total : length));
    const repeated = own.stored[axis] !== own.shape[axis];
    return [name, repeated ? { ...own, values: own.values, shape } : surrounded(own, axis, place, random)] as const;
  });
  const outputs = Object.entries(it.outputs).map(([name, shape]) => {
    const axis = axisOf(it.kernel, name, letter);
    return [name, shape.map((length, at) => (at === axis ? place.total : length))] as const;
  });
  return { ...it, inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) };
}

/** The outputs of the embedded case, cut back to the case. */
function ownPart(it: Case, whole: Case, results: Results, letter: string, { before, size }: Place): Results {
  const names = Object.keys(it.outputs).filter((name) => axisOf(it.kernel, name, letter) >= 0);
  return Object.fromEntries(
    names.map((name) => {
      const shape = whole.outputs[name] as readonly number[];
      const axis = axisOf(it.kernel, name, letter);
      return [name, entries(results[name] as Float64Array, shape, axis, before, before + size)];
    }),
  );
}

function candidates(kernel: Case['kernel'], letter: string): readonly Case[] {
  return allCases.filter((it) => {
    const shapes = [...Object.values(it.inputs).map(({ shape }) => shape), ...Object.values(it.outputs)];
    const elements = shapes.reduce((sum, shape) => sum + sizeOf(shape), 0);
    return it.kernel === kernel && elements <= largest && (sizeOfLetter(it, letter) ?? 0) > 0 && !knowsItsPlace(it);
  });
}

function expectUnmoved(backend: Backend, mine: readonly Case[], letter: string): void {
  const random = new RandomStream(12);
  const known = new Map<Case, Results>();
  for (let round = 0; round < batches; round++) {
    const it = mine[random.integer(mine.length)] as Case;
    const alone = known.get(it) ?? execute(backend, it);
    known.set(it, alone);
    const [before, after] = [random.integer(5), random.integer(5)];
    const size = sizeOfLetter(it, letter) as number;
    const place: Place = { before, size, total: before + size + after };
    const whole = embedded(it, letter, place, random);
    const part = ownPart(it, whole, execute(backend, whole), letter, place);
    const wanted = Object.fromEntries(Object.keys(part).map((name) => [name, alone[name] as Float64Array]));
    sameBits(`${it.kernel} ${it.label}: ${letter} at ${before} of ${place.total}, round ${round}`, part, wanted);
  }
}

forEachSubject((backend) => {
  it.each(batchLetters)('%s along %s', (kernel, letters) => {
    for (const letter of letters) {
      const mine = candidates(kernel, letter);
      expect(mine.length, letter).toBeGreaterThan(0);
      expectUnmoved(backend, mine, letter);
    }
  });
});
