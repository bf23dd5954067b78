/**
 * What the machine could do at most, measured now: the roof that a benchmark holds kernels against.
 * The loops are in native/measure.h and native/kernels/peak.inl.h.
 */

import type { BackendInfo } from '../contract.js';
import { addon } from './addon.js';

export interface MachineLimits {
  /** Multiplications and additions in registers of the target, 10⁹ a second. */
  readonly peakGflops: number;
  /** Reading and writing of arrays larger than any cache, 10⁹ bytes a second, both counted. */
  readonly copyGigabytesPerSecond: number;
}

/**
 * The limits of a native backend's target with its number of threads.
 *
 * A target can do whatever a narrower one can, so its peak is the best of its own registers and all narrower ones; where
 * wide registers run at half rate or are contended for, the narrower are the limit. Takes seconds and 256 MiB.
 * @throws BackendError when the addon cannot be loaded.
 */
export function measureLimits({ target, threads }: Pick<BackendInfo, 'target' | 'threads'>): MachineLimits {
  const native = addon();
  const bestFirst = native.targets();
  const rates = bestFirst.map((name, index) =>
    name === null || index < bestFirst.indexOf(target) ? 0 : native.multiplyAddRate(index, threads),
  );
  return { peakGflops: Math.max(...rates) / 1e9, copyGigabytesPerSecond: native.copyRate(threads) / 1e9 };
}
