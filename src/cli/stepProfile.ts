/**
 * `--profile`: the share of training steps spent inside kernels, and which ones. Evaluations do not count.
 */

import type { Backend } from '../backend/contract.js';
import { type KernelTime, profiled } from '../backend/profile.js';

export interface ProfileReport {
  /** Time of training steps inside kernels over time of training steps. */
  readonly kernelRatio: number;
  readonly kernels: readonly KernelTime[];
}

/** Where a clock and the kernels stood. */
interface Mark {
  readonly atMs: number;
  readonly kernels: ReadonlyMap<string, KernelTime>;
}

export class StepProfile {
  /** Use this one. */
  readonly backend: Backend;
  readonly #report: () => KernelTime[];
  readonly #sums = new Map<string, KernelTime>();
  #stepMs = 0;
  #mark: Mark;

  constructor(backend: Backend) {
    const profile = profiled(backend);
    this.backend = profile.backend;
    this.#report = profile.report;
    this.#mark = this.#now();
  }

  /** A training step has ended: what happened since the last mark belongs to it. */
  step(): void {
    const [before, now] = [this.#mark, this.#now()];
    this.#mark = now;
    this.#stepMs += now.atMs - before.atMs;
    for (const [kernel, time] of now.kernels) this.#add(time, before.kernels.get(kernel));
  }

  /** Something else has ended: what happened since the last mark does not count. */
  skip(): void {
    this.#mark = this.#now();
  }

  report(): ProfileReport {
    const used = [...this.#sums.values()].filter(({ calls }) => calls > 0);
    const kernels = used.sort((a, b) => b.milliseconds - a.milliseconds);
    const inside = kernels.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    return { kernelRatio: inside / this.#stepMs, kernels };
  }

  #add({ kernel, calls, milliseconds }: KernelTime, before: KernelTime | undefined): void {
    const sum = this.#sums.get(kernel);
    this.#sums.set(kernel, {
      kernel,
      calls: (sum?.calls ?? 0) + calls - (before?.calls ?? 0),
      milliseconds: (sum?.milliseconds ?? 0) + milliseconds - (before?.milliseconds ?? 0),
    });
  }

  #now(): Mark {
    return { atMs: performance.now(), kernels: new Map(this.#report().map((time) => [time.kernel, time])) };
  }
}
