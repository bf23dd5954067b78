/**
 * The addon's exports as TypeScript sees them, loaded once. native/addon.cpp is the other side.
 */

import { addonPath, loadAddon } from '#host';
import { BackendError } from '../../core/errors.js';

/** Memory as the addon takes it; null for an operand that is left out. */
export type NativeArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

export interface Addon {
  /** Runs a kernel; 0, or a code of callStatus.ts. */
  call(
    target: number,
    threads: number,
    kernel: number,
    numbers: Float64Array,
    count: number,
    ...memory: readonly (NativeArray | null)[]
  ): number;
  /** Names of the targets in this build, best first; null where the machine lacks one. */
  targets(): (string | null)[];
  /** Name and lanes that the kernel text wrote when it last ran on this thread, like `avx512/16`. */
  lastTarget(): string;
  /** Address modulo 64. */
  misalignment(memory: NativeArray): number;
  /** Operations a second of multiply-adds that stay in the target's registers. */
  multiplyAddRate(target: number, threads: number): number;
  /** Bytes read and written a second when large arrays are copied. */
  copyRate(threads: number): number;
}

let loaded: Addon | undefined;

/** The addon. Throws BackendError with the reason when it cannot be loaded; a later call tries again. */
export function addon(): Addon {
  try {
    loaded ??= loadAddon() as Addon;
    return loaded;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new BackendError(
      `native: expected the addon at ${addonPath()}, got ${reason}; node scripts/build-native.mjs`,
      { path: addonPath() },
    );
  }
}
