/**
 * What stands between a case and its figures: results that were checked, and works that are ready to be timed. On
 * several backends at once they take turns. Each kind of case prepares in its own file; next: timing.ts.
 */

import type { Backend } from '../../backend/contract.js';
import { scope } from '../../tensor/scope.js';
import type { Machine } from './machine.js';
import { ratioInTurns, type Samples, type TimingOptions, timeInTurns } from './timing.js';

/** A case on one backend. The first work is the case itself; others are there to be compared with it. */
export interface Prepared<Figures> {
  readonly works: readonly [() => void, ...(() => void)[]];
  /** What the times of the works come to, given in the order of the works. */
  figures(machine: Machine, samples: readonly Samples[]): Figures;
}

/** Allocates, computes once, checks. Throws StateError when a result is wrong. */
export type Prepare<Case, Figures> = (backend: Backend, it: Case) => Prepared<Figures>;

/** A backend to measure, with the limits of the machine for its target and threads. */
export interface Subject {
  readonly backend: Backend;
  readonly machine: Machine;
}

export interface Speedup {
  /** Time on the first subject over time on this one: the median of the ratios of runs in the same turn. */
  readonly speedup?: number;
}

/** The figures of one case on every subject; all but the first know by what factor they are faster than the first. */
export function measure<Case, Figures>(
  prepare: Prepare<Case, Figures>,
  subjects: readonly Subject[],
  it: Case,
  options: TimingOptions,
): (Figures & Speedup)[] {
  return scope(() => {
    const prepared = subjects.map(({ backend }) => prepare(backend, it));
    const works = prepared.flatMap((each) => each.works);
    const samples = timeInTurns(works, options);
    const samplesOf = ({ works: own }: Prepared<Figures>) => own.map((work) => samples[works.indexOf(work)] as Samples);
    const [first] = samples as [Samples];
    return prepared.map((each, index): Figures & Speedup => {
      const [own, ...compared] = samplesOf(each) as [Samples, ...Samples[]];
      const figures = each.figures((subjects[index] as Subject).machine, [own, ...compared]);
      return { ...figures, ...(index > 0 && { speedup: ratioInTurns(first, own) }) };
    });
  });
}
