/** The suite itself can fail: backends with one deliberate fault each are caught. */

import { expect, it } from 'vitest';
import type { Backend, KernelName, Operands, View } from '../../src/backend/contract.js';
import { createReferenceBackend } from '../../src/backend/reference/createReferenceBackend.js';
import { type Accuracy, beyondStated, note } from './accuracy.js';
import { exact, kernelCase, normal } from './case.js';
import { conforms, sameBits } from './run.js';

const addOne = kernelCase({
  kernel: 'affine_f32',
  label: '[3, 5]',
  inputs: { a: normal([3, 5], 1) },
  outputs: { out: [3, 5] },
  scalars: { scale: 0, shift: 1 },
  tolerance: { out: exact },
});

/** The reference, with `spoil` done after every kernel. */
function faulty(spoil: (backend: Backend, out: View, a: View) => void): Backend {
  const backend = createReferenceBackend();
  return {
    info: backend.info,
    alloc: (dtype, length) => backend.alloc(dtype, length),
    free: (buffer) => backend.free(buffer),
    read: (buffer, offset, length) => backend.read(buffer, offset, length),
    write: (buffer, offset, values) => backend.write(buffer, offset, values),
    run: (kernel, operands, scalars) => {
      backend.run(kernel, operands, scalars);
      const { out, a } = operands as unknown as Operands<'affine_f32'> & Operands<KernelName>;
      spoil(backend, out, a);
    },
  };
}

it('passes a sound backend', () => {
  expect(
    conforms(
      faulty(() => undefined),
      addOne,
      'gaps',
    ),
  ).toBe(0);
});

it.each<[string, RegExp, (backend: Backend, out: View, a: View) => void]>([
  [
    'a result off by one unit in the last place',
    /out\[0\]: expected 1/,
    (backend, out) => backend.write(out.buffer, out.offset, [1 + 2 ** -23]),
  ],
  ['NaN', /got NaN/, (backend, out) => backend.write(out.buffer, out.offset, [Number.NaN])],
  ['a write between the elements', /wrote outside out, at cell 2/, (backend, out) => backend.write(out.buffer, 2, [0])],
  ['a write into an input', /wrote into its input a/, (backend, _, a) => backend.write(a.buffer, a.offset, [0])],
])('catches %s', (_, message, spoil) => {
  expect(() => conforms(faulty(spoil), addOne, 'gaps')).toThrow(message);
});

it('tells 0 from -0', () => {
  const [zero, negative] = [Float64Array.of(0), Float64Array.of(-0)];
  expect(() => sameBits('zeros', { out: zero }, { out: negative })).toThrow(/out\[0\]/);
  expect(() => sameBits('zeros', { out: zero }, { out: zero })).not.toThrow();
});

it('catches an error beyond what docs/numerics.md states, and an operation that it does not know', () => {
  const accuracy = (row: string, error: number): Accuracy => {
    const made: Accuracy = new Map();
    note(made, row, 'small', error);
    return made;
  };
  expect(beyondStated('native baseline', accuracy('attention_forward out', 1e-9))).toEqual([]);
  expect(beyondStated('native baseline', accuracy('attention_forward out', 1e-4))).toHaveLength(1);
  expect(beyondStated('native of tomorrow', accuracy('attention_forward out', 1e-9))).toEqual([]);
  expect(beyondStated('native of tomorrow', accuracy('attention_forward out', 1e-4))).toHaveLength(1);
  expect(beyondStated('native baseline', accuracy('an operation without a row', 1e-9))).toHaveLength(1);
});
