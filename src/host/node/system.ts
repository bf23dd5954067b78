/**
 * The machine as Node sees it: environment, processors, the native addon, files that ship with the package. The
 * browser's half: ../browser/system.ts.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

/** The value of an environment variable; undefined when it is not set or empty. */
export function environment(name: string): string | undefined {
  return process.env[name] || undefined;
}

/** Threads that can run at once. */
export function processorCount(): number {
  return availableParallelism();
}

/** Where the addon for this machine lies when it was built. */
export function addonPath(): string {
  const name = `keyhole-${process.platform}-${process.arch}.node`;
  return fileURLToPath(new URL(`../../../build/native/${name}`, import.meta.url));
}

/** Loads the native addon; throws Node's own error when it is missing or broken. */
export function loadAddon(): unknown {
  return createRequire(import.meta.url)(addonPath()) as unknown;
}

/** The bytes of a file that ships beside the code. */
export async function readAsset(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await readFile(url));
}

/** Asks V8 for relaxed SIMD, which Node 20 keeps behind a flag. Call only when WebAssembly.validate said no. */
export function enableRelaxedSimd(): void {
  setFlagsFromString('--experimental-wasm-relaxed-simd');
}
