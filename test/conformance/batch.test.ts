/** N12: what a kernel computes for one sequence or row does not depend, by a bit, on the others in the batch. */

import { expect, it } from 'vitest';
import type { Backend, KernelName, Operands, Scalars, View } from '../../src/backend/contract.js';
import { batchLetters, entries, knowsItsPlace } from './batching.js';
import type { Case } from './case.js';
import { allCases } from './cases/all.js';
import { Placed } from './layout.js';
import { axisOf, execute, operandsOf, sameBits, sizeOfLetter } from './run.js';
import { forEachSubject } from './suite.js';

const perKernel = 50;

/** Runs the case on entry `index` of `letter` alone; returns the outputs that have that axis. */
function alone(backend: Backend, it: Case, letter: string, index: number): Record<string, Float64Array> {
  const views: Record<string, View> = {};
  const placed = new Map<string, Placed>();
  for (const { name, dtype } of operandsOf(it)) {
    const axis = axisOf(it.kernel, name, letter);
    const shape = (it.outputs[name] ?? []).map((size, a) => (a === axis ? 1 : size));
    const operand = new Placed(backend, it.inputs[name] ?? { dtype, shape, stored: shape }, 'packed');
    placed.set(name, operand);
    const { view } = operand;
    views[name] = axis < 0 || !(name in it.inputs) ? view : narrowed(view, axis, index);
  }
  backend.run(it.kernel, views as Operands<KernelName>, it.scalars as Scalars<KernelName>);
  const outputs = Object.keys(it.outputs).filter((name) => axisOf(it.kernel, name, letter) >= 0);
  const results = Object.fromEntries(outputs.map((name) => [name, (placed.get(name) as Placed).values()]));
  for (const operand of placed.values()) operand.free();
  return results;
}

function narrowed(view: View, axis: number, index: number): View {
  const shape = view.shape.map((size, a) => (a === axis ? 1 : size));
  return { ...view, shape, offset: view.offset + index * (view.strides[axis] as number) };
}

function expectIndependent(backend: Backend, it: Case, letter: string): void {
  const size = sizeOfLetter(it, letter) ?? 0;
  const whole = execute(backend, it);
  for (const index of new Set([0, Math.floor(size / 2), size - 1])) {
    const label = `${it.kernel} ${it.label}: ${letter} ${index}`;
    const results = alone(backend, it, letter, index);
    const wanted = Object.keys(results).map((name) => {
      const shape = it.outputs[name] as readonly number[];
      const axis = axisOf(it.kernel, name, letter);
      return [name, entries(whole[name] as Float64Array, shape, axis, index, index + 1)] as const;
    });
    sameBits(label, results, Object.fromEntries(wanted));
  }
}

forEachSubject((backend) => {
  it.each(batchLetters)('%s along %s', (kernel, letters) => {
    for (const letter of letters) {
      const mine = allCases.filter(
        (candidate) =>
          candidate.kernel === kernel && (sizeOfLetter(candidate, letter) ?? 0) > 1 && !knowsItsPlace(candidate),
      );
      expect(mine.length).toBeGreaterThan(0);
      for (const candidate of mine.slice(0, perKernel)) expectIndependent(backend, candidate, letter);
    }
  });
});
