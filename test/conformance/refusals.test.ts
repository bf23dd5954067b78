/** Every backend refuses the same wrong calls with a typed error, before anything is written. */

import { describe, expect, it } from 'vitest';
import type { Backend, KernelName, Operands, Scalars, View } from '../../src/backend/contract.js';
import { signatures } from '../../src/backend/signature.js';
import { BackendError, DTypeError, KeyholeError, ShapeError } from '../../src/core/errors.js';
import type { Case } from './case.js';
import { type Input, input, kernelCase, listed, normal } from './case.js';
import { allCases } from './cases/all.js';
import { attentionCases } from './cases/attention.js';
import { Placed } from './layout.js';
import { operandsOf } from './run.js';
import { forEachSubject } from './suite.js';

type ErrorKind = typeof ShapeError | typeof DTypeError | typeof BackendError;

interface Wrong {
  readonly what: string;
  readonly kind: ErrorKind;
  /** The spoilt view; undefined leaves the operand out. */
  readonly spoil: (view: View, backend: Backend) => View | undefined;
}

const wrongs: readonly Wrong[] = [
  { what: 'left out', kind: ShapeError, spoil: () => undefined },
  {
    what: 'rank 9',
    kind: ShapeError,
    spoil: (view) => ({ ...view, shape: Array(9).fill(1), strides: Array(9).fill(0) }),
  },
  { what: 'strides missing', kind: ShapeError, spoil: (view) => ({ ...view, strides: view.strides.slice(1) }) },
  {
    what: 'offset past the end',
    kind: ShapeError,
    spoil: (view) => ({ ...view, offset: view.offset + view.buffer.length }),
  },
  { what: 'negative offset', kind: ShapeError, spoil: (view) => ({ ...view, offset: -1 }) },
  { what: 'fractional offset', kind: ShapeError, spoil: (view) => ({ ...view, offset: 0.5 }) },
  { what: 'NaN offset', kind: ShapeError, spoil: (view) => ({ ...view, offset: Number.NaN }) },
  { what: 'negative stride', kind: ShapeError, spoil: (view) => ({ ...view, strides: view.strides.map(() => -1) }) },
  { what: 'huge stride', kind: ShapeError, spoil: (view) => ({ ...view, strides: view.strides.map(() => 2 ** 50) }) },
  {
    what: 'a larger last axis',
    kind: ShapeError,
    spoil: (view) => ({ ...view, shape: [...view.shape.slice(0, -1), 1e6] }),
  },
  {
    what: 'another dtype',
    kind: DTypeError,
    spoil: (view, backend) => ({
      ...view,
      buffer: backend.alloc(view.buffer.dtype === 'i32' ? 'u8' : 'i32', view.buffer.length),
    }),
  },
];

function sampleOf(kernel: KernelName): Case {
  const large = ({ inputs, outputs }: Case): boolean =>
    [...Object.values(inputs).map(({ shape }) => shape), ...Object.values(outputs)].every(
      (shape) => shape.length > 0 && shape.every((size) => size > 0) && (shape.at(-1) as number) < 1e6,
    );
  const sizes = (it: Case): number =>
    Math.max(...Object.values(it.outputs).map((shape) => shape[shape.length - 1] as number));
  const found =
    allCases.find((it) => it.kernel === kernel && large(it) && sizes(it) > 1) ??
    allCases.find((it) => it.kernel === kernel && large(it));
  if (found === undefined) throw new Error(`${kernel}: no case to spoil`);
  return found;
}

function placeAll(backend: Backend, it: Case): Map<string, Placed> {
  return new Map(
    operandsOf(it).map(({ name, dtype }) => {
      const shape = it.outputs[name] ?? [];
      return [name, new Placed(backend, it.inputs[name] ?? { dtype, shape, stored: shape }, 'packed')];
    }),
  );
}

function run(backend: Backend, it: Case, views: Record<string, View | undefined>): void {
  backend.run(it.kernel, views as Operands<KernelName>, it.scalars as Scalars<KernelName>);
}

/** Spoils each operand in turn and checks that the call is refused and no operand changes. */
function expectRefusals(backend: Backend, kernel: KernelName, { what, kind, spoil }: Wrong): void {
  const sample = sampleOf(kernel);
  const placed = placeAll(backend, sample);
  for (const [name, { view }] of placed) {
    const optional = signatures[kernel].operands.find((operand) => operand.name === name)?.optional;
    if (what === 'left out' && optional) continue;
    if (what === 'strides missing' && view.shape.length === 0) continue;
    const views: Record<string, View | undefined> = Object.fromEntries(
      [...placed].map(([key, operand]) => [key, operand.view]),
    );
    views[name] = spoil(view, backend);
    if (what.endsWith('stride') && view.shape.every((size) => size === 1) && what !== 'negative stride') continue;
    expect(() => run(backend, sample, views), `${kernel}: ${name} ${what}`).toThrow(kind);
  }
  for (const [name, operand] of placed) {
    expect(operand.untouched(), `${kernel}: ${name} after the refusals`).toBe(true);
    operand.free();
  }
}

const outOfRange: readonly Case[] = [-1, 3, 2 ** 31 - 1, -(2 ** 31)].flatMap((bad) => {
  const index = listed([4], [0, 2, bad, 1], { dtype: 'i32' });
  const scalars = { smoothing: 0.1, ignore: -7 };
  const shared = { label: `index ${bad}`, tolerance: {} };
  const rows = { table: normal([3, 5], 1), index };
  const losses = { logits: normal([4, 3], 3), target: index };
  return [
    kernelCase({ ...shared, kernel: 'gather_rows_f32', inputs: rows, outputs: { out: [4, 5] }, scalars: {} }),
    kernelCase({
      ...shared,
      kernel: 'scatter_add_rows_f32',
      inputs: { ...rows, rows: normal([4, 5], 2) },
      outputs: {},
      scalars: {},
    }),
    kernelCase({ ...shared, kernel: 'cross_entropy_f32', inputs: losses, outputs: { loss: [4], lse: [4] }, scalars }),
    kernelCase({
      ...shared,
      kernel: 'cross_entropy_backward_f32',
      inputs: { ...losses, lse: input([4], () => 1), dloss: input([4], () => 1) },
      outputs: { dlogits: [4, 3] },
      scalars,
    }),
  ];
});

/** Two key heads instead of one. */
function twice({ values }: Input): Input {
  return input([1, 2, 4, 8], (index) => values[index % 32] as number);
}

const badCodes = [-1, 0.5, 99, Number.NaN];
const badRates = [-0.1, 1, 1.5, Number.NaN];
const badScalars: readonly (readonly [KernelName, string, readonly number[]])[] = [
  ['unary_f32', 'op', badCodes],
  ['unary_backward_f32', 'op', badCodes],
  ['binary_f32', 'op', badCodes],
  ['reduce_f32', 'op', badCodes],
  ['matmul_f32', 'activation', badCodes],
  ['dropout_f32', 'rate', badRates],
  ['attention_forward_f32', 'dropoutRate', badRates],
  ['attention_backward_f32', 'dropoutRate', badRates],
  ['adamw_f32', 'step', [0, -1, 0.5, Number.NaN]],
];

const kernels = Object.keys(signatures) as KernelName[];

forEachSubject((backend) => {
  describe.each(wrongs)('refuses an operand with $what', (wrong) => {
    it.each(kernels)('%s', (kernel) => expectRefusals(backend, kernel, wrong));
  });

  it.each(kernels)('refuses a missing scalar: %s', (kernel) => {
    const sample = sampleOf(kernel);
    const placed = placeAll(backend, sample);
    const views = Object.fromEntries([...placed].map(([name, { view }]) => [name, view]));
    for (const name of signatures[kernel].scalars) {
      const scalars = { ...sample.scalars, [name]: undefined };
      expect(() => run(backend, { ...sample, scalars } as Case, views)).toThrow(BackendError);
    }
    for (const operand of placed.values()) operand.free();
  });

  it.each(outOfRange.map((it) => [it.kernel, it.label, it] as const))('%s refuses %s', (_, __, bad) => {
    const placed = placeAll(backend, bad);
    const views = Object.fromEntries([...placed].map(([name, { view }]) => [name, view]));
    expect(() => run(backend, bad, views)).toThrow(BackendError);
    expect(() => run(backend, bad, views)).toThrow(bad.kernel);
    for (const operand of placed.values()) {
      expect(operand.untouched()).toBe(true);
      operand.free();
    }
  });

  it.each(badScalars)('%s refuses %s outside its range', (kernel, name, values) => {
    const sample = sampleOf(kernel);
    const placed = placeAll(backend, sample);
    const views = Object.fromEntries([...placed].map(([key, { view }]) => [key, view]));
    for (const value of values) {
      const scalars = { ...sample.scalars, [name]: value };
      expect(() => run(backend, { ...sample, scalars } as Case, views), `${name} ${value}`).toThrow(BackendError);
    }
    for (const operand of placed.values()) operand.free();
  });

  it('refuses query heads that key heads do not divide', () => {
    for (const it of Object.values(attentionCases({ H: 3, G: 1, L: 4, D: 8 }, 1)) as Case[]) {
      const inputs = Object.entries(it.inputs).map(([name, old]) => [name, /^[kv]$/.test(name) ? twice(old) : old]);
      const outputs = Object.entries(it.outputs).map(([name, shape]) => [
        name,
        /^d[kv]$/.test(name) ? [1, 2, 4, 8] : shape,
      ]);
      const bad = { ...it, inputs: Object.fromEntries(inputs), outputs: Object.fromEntries(outputs) } as Case;
      const placed = placeAll(backend, bad);
      const views = Object.fromEntries([...placed].map(([name, { view }]) => [name, view]));
      expect(() => run(backend, bad, views), it.kernel).toThrow(KeyholeError);
      for (const operand of placed.values()) operand.free();
    }
  });

  it('refuses gradients of statistics without the statistics', () => {
    const { backwardOfRecord: recorded } = attentionCases({ L: 4, D: 8 }, 1);
    const placed = placeAll(backend, recorded);
    const views = Object.fromEntries([...placed].map(([name, { view }]) => [name, view]));
    expect(() => run(backend, recorded, { ...views, statistics: undefined })).toThrow(BackendError);
    for (const operand of placed.values()) {
      expect(operand.untouched()).toBe(true);
      operand.free();
    }
  });

  it('refuses wrong memory calls', () => {
    expect(() => backend.alloc('f32', -1)).toThrow(ShapeError);
    expect(() => backend.alloc('f32', 1.5)).toThrow(ShapeError);
    const buffer = backend.alloc('f32', 4);
    expect(() => backend.read(buffer, 2, 3)).toThrow(ShapeError);
    expect(() => backend.read(buffer, -1, 2)).toThrow(ShapeError);
    expect(() => backend.write(buffer, 2, [1, 2, 3])).toThrow(ShapeError);
    expect(() => backend.write(buffer, 0.5, [1])).toThrow(ShapeError);
    backend.free(buffer);
    expect(() => backend.read(buffer, 0, 1)).toThrow(BackendError);
    expect(() => backend.write(buffer, 0, [1])).toThrow(BackendError);
    expect(() => backend.free(buffer)).toThrow(BackendError);
    const view: View = { buffer, offset: 0, shape: [4], strides: [1] };
    expect(() => backend.run('fill_f32', { out: view }, { value: 1 })).toThrow(BackendError);
    expect(() => backend.read({ dtype: 'f32', length: 4 }, 0, 1)).toThrow(BackendError);
  });
});
