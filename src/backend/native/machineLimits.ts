/** The machine's limits as native code meets them; the loops are in native/measure.h and native/kernels/peak.inl.h. */

import type { MachineLimits } from '../machineLimits.js';
import { addon } from './addon.js';

/**
 * A target can do whatever a narrower one can, so its peak is the best of its own registers and all narrower ones; where
 * wide registers run at half rate or are contended for, the narrower are the limit.
 */
export function measureNativeLimits(target: string, threads: number): MachineLimits {
  const native = addon();
  const bestFirst = native.targets();
  const rates = bestFirst.map((name, index) =>
    name === null || index < bestFirst.indexOf(target) ? 0 : native.multiplyAddRate(index, threads),
  );
  return { peakGflops: Math.max(...rates) / 1e9, copyGigabytesPerSecond: native.copyRate(threads) / 1e9 };
}
