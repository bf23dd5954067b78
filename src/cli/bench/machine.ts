/** The machine's limits as `keyhole bench` reports them, measured with the backend's own target and threads. */

import type { BackendInfo } from '../../backend/contract.js';
import type { MachineLimits } from '../../backend/machineLimits.js';
import { measureNativeLimits } from '../../backend/native/machineLimits.js';
import { measureWasmLimits } from '../../backend/wasm/machineLimits.js';

/** Backend, target, threads, and what they could do at most; null for the reference, which is not made for speed. */
export interface Machine extends BackendInfo {
  readonly peakGflops: number | null;
  readonly copyGigabytesPerSecond: number | null;
}

/** Measures for some seconds, in up to 256 MiB. */
export function describeMachine(info: BackendInfo): Machine {
  return { ...info, ...(limitsOf(info) ?? { peakGflops: null, copyGigabytesPerSecond: null }) };
}

function limitsOf({ backend, target, threads }: BackendInfo): MachineLimits | undefined {
  if (backend === 'native') return measureNativeLimits(target, threads);
  return backend === 'wasm' ? measureWasmLimits(target === 'wasm-relaxed') : undefined;
}

/** `part / whole`, or null where the whole is unknown. */
export function ratioOf(part: number, whole: number | null): number | null {
  return whole === null ? null : part / whole;
}
