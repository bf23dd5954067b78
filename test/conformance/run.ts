/**
 * Runs a case on a backend and compares it with the float64 reference. Every run also checks that nothing outside the
 * output views and no input was written.
 */

import type { Backend, Operands, Scalars, View } from '../../src/backend/contract.js';
import { createReferenceBackend } from '../../src/backend/reference/createReferenceBackend.js';
import { type OperandSignature, signatures } from '../../src/backend/signature.js';
import type { Case, Tolerance } from './case.js';
import { type Layout, layouts, Placed } from './layout.js';

export type Results = Readonly<Record<string, Float64Array>>;
/** One layout for all operands, or a different one for each: `mixed`, or those listed in turn. */
export type LayoutPlan = Layout | 'mixed' | 'in place' | readonly Layout[];

const float64 = createReferenceBackend({ precision: 'f64' });
const truths = new WeakMap<Case, Results>();

/** What the float64 reference says; computed once per case. */
export function truthOf(it: Case): Results {
  const truth = truths.get(it) ?? execute(float64, it);
  truths.set(it, truth);
  return truth;
}

/** The operands of a case that are passed, in the kernel's order. */
export function operandsOf(it: Case): OperandSignature[] {
  return signatures[it.kernel].operands.filter(({ name }) => name in it.inputs || name in it.outputs);
}

function layoutOf(plan: LayoutPlan, operand: number): Layout {
  if (plan === 'in place') return 'packed';
  if (typeof plan === 'string' && plan !== 'mixed') return plan;
  const list = plan === 'mixed' ? layouts : plan;
  return list[(operand + 1) % list.length] as Layout;
}

function place(backend: Backend, it: Case, plan: LayoutPlan): Map<string, Placed> {
  const placed = new Map<string, Placed>();
  operandsOf(it).forEach(({ name, dtype }, index) => {
    const layout = layoutOf(plan, index);
    const shape = it.outputs[name] ?? [];
    placed.set(name, new Placed(backend, it.inputs[name] ?? { dtype, shape, stored: shape }, layout));
  });
  if (plan === 'in place') coincide(it, placed);
  return placed;
}

/** The input that an output may overwrite, if this kernel and case have one. */
export function inPlaceInput(it: Case): string | undefined {
  const output = operandsOf(it).find(({ mayCoincide }) => mayCoincide);
  const fits = ({ name, dtype, read }: OperandSignature): boolean =>
    read && dtype === output?.dtype && it.inputs[name]?.stored.join() === it.outputs[output.name]?.join();
  return output && operandsOf(it).find(fits)?.name;
}

function coincide(it: Case, placed: Map<string, Placed>): void {
  const output = operandsOf(it).find(({ mayCoincide }) => mayCoincide)?.name;
  const source = inPlaceInput(it);
  if (output === undefined || source === undefined) throw new Error(`${it.kernel} ${it.label} cannot run in place`);
  placed.get(output)?.free();
  placed.set(output, placed.get(source) as Placed);
}

/** Runs a case and returns what it wrote. */
export function execute(backend: Backend, it: Case, plan: LayoutPlan = 'packed'): Results {
  const placed = place(backend, it, plan);
  const views: Record<string, View> = {};
  for (const [name, { view }] of placed) views[name] = view;
  try {
    backend.run(it.kernel, views as Operands<typeof it.kernel>, it.scalars as Scalars<typeof it.kernel>);
    return collect(it, placed, `${it.kernel} ${it.label} (${plan})`);
  } finally {
    for (const operand of new Set(placed.values())) operand.free();
  }
}

function collect(it: Case, placed: ReadonlyMap<string, Placed>, label: string): Results {
  const results: Record<string, Float64Array> = {};
  const written = new Set(operandsOf(it).flatMap(({ name, written }) => (written ? [placed.get(name)] : [])));
  for (const { name, written: output } of operandsOf(it)) {
    const operand = placed.get(name) as Placed;
    if (output) {
      results[name] = operand.values();
      const stray = operand.strayWrite();
      if (stray >= 0) throw new Error(`${label}: wrote outside ${name}, at cell ${stray}`);
    } else if (!written.has(operand) && !operand.untouched()) throw new Error(`${label}: wrote into its input ${name}`);
  }
  return results;
}

const largestFloat32 = 3.4028234663852886e38;

/** Error of one element as a multiple of what is allowed; float32 cannot hold more than `largestFloat32`. */
function excess(got: number, truth: number, allowed: number): number {
  if (Object.is(got, truth) || got === truth || (Number.isNaN(got) && Number.isNaN(truth))) return 0;
  if (Math.abs(truth) > largestFloat32 * (1 - 1e-6) && got === Math.sign(truth) * Infinity) return 0;
  const error = Math.abs(got - truth);
  return Number.isFinite(error) ? error / allowed : Infinity;
}

/** Throws when an element is further from the truth than its tolerance; returns the largest share of it used. */
export function compare(label: string, got: ArrayLike<number>, truth: ArrayLike<number>, tolerance: Tolerance): number {
  const bound = tolerance.bound?.(truth);
  let worst = 0;
  for (let index = 0; index < truth.length; index++) {
    const [mine, theirs] = [got[index] as number, truth[index] as number];
    const { absolute = 0, relative = 0 } = tolerance;
    const ratio = excess(mine, theirs, absolute + relative * Math.abs(theirs) + (bound?.[index] ?? 0));
    if (!(ratio <= 1))
      throw new Error(`${label}[${index}]: expected ${theirs}, got ${mine}; ${ratio} of what is allowed`);
    worst = Math.max(worst, ratio);
  }
  return worst;
}

/** One output of one run: how much of its tolerance it used, and what it holds. */
export interface Comparison {
  readonly output: string;
  readonly share: number;
  readonly got: Float64Array;
  readonly truth: Float64Array;
}

/** Runs a case in one layout and compares every output; throws where one is further from the truth than allowed. */
export function comparisons(backend: Backend, it: Case, plan: LayoutPlan): Comparison[] {
  const truths = truthOf(it);
  return Object.entries(execute(backend, it, plan)).map(([output, got]) => {
    const label = `${it.kernel} ${it.label} (${plan}) ${output}`;
    const truth = truths[output] as Float64Array;
    return { output, got, truth, share: compare(label, got, truth, it.tolerance[output] as Tolerance) };
  });
}

/** The same; returns the largest share of a tolerance that was used. */
export function conforms(backend: Backend, it: Case, plan: LayoutPlan): number {
  return Math.max(0, ...comparisons(backend, it, plan).map(({ share }) => share));
}

/** Axis of an operand that a letter of the signature names; -1 for none. */
export function axisOf(kernel: Case['kernel'], name: string, letter: string): number {
  return signatures[kernel].operands.find((operand) => operand.name === name)?.dims?.indexOf(letter) ?? -1;
}

/** What a letter of the signature is in this case. */
export function sizeOfLetter(it: Case, letter: string): number | undefined {
  for (const { name } of operandsOf(it)) {
    const axis = axisOf(it.kernel, name, letter);
    if (axis >= 0) return (it.inputs[name]?.shape ?? it.outputs[name])?.[axis];
  }
  return undefined;
}

/** Throws at the first element whose bits differ; any NaN equals any other. */
export function sameBits(label: string, got: Results, wanted: Results): void {
  for (const [name, values] of Object.entries(wanted)) {
    const mine = got[name] as Float64Array;
    const at = values.findIndex((value, index) => !Object.is(value, mine[index]));
    if (at >= 0 || mine.length !== values.length)
      throw new Error(`${label} ${name}[${at}]: expected ${values[at]}, got ${mine[at]}`);
  }
}
