/**
 * The accuracy table of docs/numerics.md: what the suite measures on the way, and what the page states. `npm run
 * numerics` sets KEYHOLE_ACCURACY to a folder, collects what is measured there and writes the page.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { binaryOps, reduceOps, unaryOps } from '../../src/backend/kernels.generated.js';
import type { Case } from './case.js';
import type { Comparison } from './run.js';

export const sizeClasses = ['small', 'medium', 'large'] as const;
export type SizeClass = (typeof sizeClasses)[number];

/** Largest error by operation and size class. */
export type Accuracy = Map<string, Partial<Record<SizeClass, number>>>;

/** Longest axis up to 32, up to 256, beyond. */
function sizeClassOf({ inputs, outputs }: Case): SizeClass {
  const shapes = [...Object.values(inputs).map(({ shape }) => shape), ...Object.values(outputs)];
  const longest = Math.max(0, ...shapes.flat());
  if (longest <= 32) return 'small';
  return longest <= 256 ? 'medium' : 'large';
}

const operations: Readonly<Record<string, readonly string[]>> = {
  unary_f32: unaryOps,
  unary_backward_f32: unaryOps,
  binary_f32: binaryOps,
  reduce_f32: reduceOps,
};

/** What a row of the table is called: kernel, operation, and the output where there are several. */
function rowOf({ kernel, scalars, tolerance }: Case, output: string): string {
  const operation = operations[kernel]?.[(scalars as Record<string, number>).op ?? -1];
  const several = Object.keys(tolerance).length > 1;
  return [kernel.replace(/_f32$/, ''), operation, several && output].filter(Boolean).join(' ');
}

/** Long sums are known relative to the sum of absolute values; their error is told as a share of the case's bound. */
const boundKernels: ReadonlySet<string> = new Set(['matmul', 'reduce sum', 'reduce mean']);

/** Absolute below 1, relative above. */
function scaledError({ got, truth }: Comparison): number {
  let worst = 0;
  truth.forEach((wanted, index) => {
    const value = got[index] as number;
    if (value === wanted || Number.isNaN(wanted) || !Number.isFinite(value)) return; // the tolerance saw to these
    worst = Math.max(worst, Math.abs(value - wanted) / Math.max(1, Math.abs(wanted)));
  });
  return worst;
}

export function note(accuracy: Accuracy, row: string, size: SizeClass, error: number): void {
  const errors = accuracy.get(row) ?? {};
  accuracy.set(row, { ...errors, [size]: Math.max(errors[size] ?? 0, error) });
}

/** Adds one run of a case. */
export function noteRun(accuracy: Accuracy, it: Case, compared: readonly Comparison[]): void {
  for (const comparison of compared) {
    const row = rowOf(it, comparison.output);
    note(accuracy, row, sizeClassOf(it), boundKernels.has(row) ? comparison.share : scaledError(comparison));
  }
}

const page = fileURLToPath(new URL('../../docs/numerics.md', import.meta.url));

/** The table as row → column → cells; empty before there is a page. */
function statedTable(): Map<string, Map<string, readonly number[]>> {
  const text = existsSync(page) ? readFileSync(page, 'utf8') : '';
  const table = /<!-- accuracy -->\n([\s\S]*?)<!-- end -->/.exec(text)?.[1] ?? '';
  const cellsOf = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [head = [], , ...rows] = table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map(cellsOf);
  const numbers = (cell: string): number[] =>
    cell.split(' · ').map((word) => (word === '–' ? Number.NaN : Number(word)));
  return new Map(
    rows.map(([row = '', ...cells]) => [row, new Map(cells.map((cell, at) => [head[at + 1] ?? '', numbers(cell)]))]),
  );
}

/** The most that the page allows; a target that the page does not know gets the most of its row. */
function stated(columns: ReadonlyMap<string, readonly number[]>, subject: string, size: SizeClass): number {
  const at = sizeClasses.indexOf(size);
  const own = columns.get(subject);
  if (own) return own[at] as number;
  return Math.max(...[...columns.values()].map((cells) => cells[at] as number).filter((value) => !Number.isNaN(value)));
}

/** What is measured and larger than docs/numerics.md says, in words. */
export function beyondStated(subject: string, accuracy: Accuracy): string[] {
  const table = statedTable();
  return [...accuracy].flatMap(([row, errors]) =>
    sizeClasses.flatMap((size) => {
      const error = errors[size];
      const allowed = stated(table.get(row) ?? new Map(), subject, size);
      if (error === undefined || error <= allowed) return [];
      return [
        `${subject}, ${row}, ${size}: expected at most ${allowed}, got ${error}; npm run numerics renews the page`,
      ];
    }),
  );
}

/** Leaves the figures for scripts/numerics.mjs; true when that is what this run is for. */
export function handOver(subject: string, accuracy: Accuracy): boolean {
  const folder = process.env.KEYHOLE_ACCURACY;
  if (!folder || accuracy.size === 0) return Boolean(folder);
  const name = `${subject} ${[...accuracy.keys()][0]}`.replace(/\W+/g, '-');
  writeFileSync(`${folder}/${name}.json`, JSON.stringify({ subject, rows: [...accuracy] }));
  return true;
}
