/** The list of cases is complete: a kernel without cases, a code without a case or an operand never passed fails here. */

import { expect, it } from 'vitest';
import { activations, binaryOps, kernelTable, reduceOps, unaryOps } from '../../src/backend/kernels.generated.js';
import { signatures } from '../../src/backend/signature.js';
import { allCases } from './cases/all.js';
import { sizeOfLetter } from './run.js';

const kernels = Object.keys(kernelTable) as (keyof typeof kernelTable)[];

it.each(kernels)('%s has cases, with and without each optional operand', (kernel) => {
  const mine = allCases.filter((candidate) => candidate.kernel === kernel);
  expect(mine.length).toBeGreaterThan(1);
  for (const { name, optional } of signatures[kernel].operands) {
    const passed = mine.map(({ inputs, outputs }) => name in inputs || name in outputs);
    expect(passed, `${kernel} with ${name}`).toContain(true);
    if (optional && name !== 'statistics') expect(passed, `${kernel} without ${name}`).toContain(false);
  }
});

it.each([
  ['unary_f32', 'op', unaryOps],
  ['unary_backward_f32', 'op', unaryOps],
  ['binary_f32', 'op', binaryOps],
  ['reduce_f32', 'op', reduceOps],
  ['matmul_f32', 'activation', activations],
] as const)('%s covers every %s', (kernel, scalar, codes) => {
  const used = allCases.flatMap(({ kernel: k, scalars }) =>
    k === kernel ? [(scalars as Record<string, number>)[scalar]] : [],
  );
  expect([...new Set(used)].sort()).toEqual(codes.map((_, code) => code).sort());
});

it('covers sizes 0 and 1 of every letter', () => {
  for (const kernel of kernels) {
    const mine = allCases.filter((candidate) => candidate.kernel === kernel);
    const letters = new Set(signatures[kernel].operands.flatMap(({ dims }) => dims ?? []));
    for (const letter of letters) {
      if (/^\d+$/.test(letter)) continue;
      const sizes = mine.flatMap((it) => sizeOfLetter(it, letter) ?? []);
      expect(sizes, `${kernel} ${letter}`).toContain(1);
    }
    const empty = mine.some(({ inputs, outputs }) =>
      [...Object.values(inputs).map(({ shape }) => shape), ...Object.values(outputs)].some((shape) =>
        shape.includes(0),
      ),
    );
    expect(empty, `${kernel} with an empty axis`).toBe(true);
  }
});
