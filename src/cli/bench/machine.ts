/** The machine's limits as `keyhole bench` reports them, measured with the backend's own target and threads. */

import type { BackendInfo } from '../../backend/contract.js';
import { type MachineLimits, measureLimits } from '../../backend/native/machineLimits.js';

/** Backend, target, threads, and what they could do at most; null where nobody can measure it. */
export interface Machine extends BackendInfo {
  readonly peakGflops: number | null;
  readonly copyGigabytesPerSecond: number | null;
}

/** WASM and the reference have no limits of their own to measure: only native code chooses its registers. */
export function describeMachine(info: BackendInfo): Machine {
  const limits: MachineLimits | undefined = info.backend === 'native' ? measureLimits(info) : undefined;
  return {
    ...info,
    peakGflops: limits?.peakGflops ?? null,
    copyGigabytesPerSecond: limits?.copyGigabytesPerSecond ?? null,
  };
}

/** `part / whole`, or null where the whole is unknown. */
export function ratioOf(part: number, whole: number | null): number | null {
  return whole === null ? null : part / whole;
}
