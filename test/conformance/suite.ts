/**
 * The suite that every backend must pass: each case of a list, in every layout, against the float64 reference, and no
 * error larger than docs/numerics.md states.
 */

import { afterAll, describe, expect, it } from 'vitest';
import type { Backend, KernelName } from '../../src/backend/contract.js';
import { sizeOf } from '../../src/core/shape.js';
import { type Accuracy, beyondStated, handOver, noteRun } from './accuracy.js';
import type { Case } from './case.js';
import { layouts } from './layout.js';
import { comparisons, inPlaceInput, type LayoutPlan } from './run.js';
import { type Subject, subjects } from './subjects.js';

/** Cases with more elements than this run in two layouts only. */
const smallCase = 6_000;

function plansFor(it: Case): LayoutPlan[] {
  const elements = Object.values(it.inputs).reduce((sum, { stored }) => sum + sizeOf(stored), 0);
  const plans: LayoutPlan[] = elements <= smallCase ? [...layouts, 'mixed'] : ['packed', 'mixed'];
  return inPlaceInput(it) === undefined ? plans : [...plans, 'in place'];
}

/** Declares `check` once for each subject; a missing one is skipped by name and reason. */
export function forEachSubject(check: (backend: Backend, subject: Subject) => void): void {
  for (const subject of subjects) {
    const { backend, name, missing } = subject;
    if (backend) describe(name, () => check(backend, subject));
    else it.skip(`${name}: ${missing}`, () => undefined);
  }
}

/** Declares one test for each subject and kernel of the cases. */
export function testConformance(cases: readonly Case[]): void {
  const kernels = [...new Set(cases.map(({ kernel }) => kernel))];
  forEachSubject((backend, { name }) => {
    const used = new Map<KernelName, number>();
    const accuracy: Accuracy = new Map();
    it.each(kernels)('%s', { timeout: 300_000 }, (kernel) => {
      const mine = cases.filter((candidate) => candidate.kernel === kernel);
      const runs = mine.flatMap((candidate) =>
        plansFor(candidate).flatMap((plan) => {
          const compared = comparisons(backend, candidate, plan);
          noteRun(accuracy, candidate, compared);
          return compared;
        }),
      );
      used.set(kernel, Math.max(...runs.map(({ share }) => share)));
      expect(mine.length).toBeGreaterThan(1);
    });
    it('no error is larger than docs/numerics.md states', () => {
      if (!handOver(name, accuracy)) expect(beyondStated(name, accuracy)).toEqual([]);
    });
    afterAll(() => {
      if (!process.env.KEYHOLE_REPORT) return;
      for (const [kernel, share] of used)
        console.info(`${name}, ${kernel}: ${(100 * share).toFixed(1)} % of tolerance`);
    });
  });
}
