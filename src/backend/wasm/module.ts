/**
 * Loads one of the two WASM modules that ship beside this file and gives its exports types. native/wasm.cpp is the other
 * side; scripts/build-wasm.mjs makes the modules.
 */

import { enableRelaxedSimd, readAsset } from '#host';
import { BackendError } from '../../core/errors.js';

export type WasmVariant = 'relaxed' | 'simd';

/** What a module exports. */
export interface WasmExports {
  readonly memory: WebAssembly.Memory;
  readonly __heap_base: WebAssembly.Global;
  /** Address of the numbers and the memory table of the next call. */
  area(): number;
  /** Runs a kernel; 0, or a code of callStatus.ts. */
  run(kernel: number, count: number, operands: number): number;
}

const files: Readonly<Record<WasmVariant, URL>> = {
  relaxed: new URL('./keyhole-relaxed.wasm', import.meta.url),
  simd: new URL('./keyhole-simd.wasm', import.meta.url),
};

const compiled = new Map<WasmVariant, Promise<WebAssembly.Module>>();

async function compile(variant: WasmVariant): Promise<WebAssembly.Module> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readAsset(files[variant]);
  } catch (cause) {
    throw new BackendError(`wasm: expected ${files[variant].href}, got ${String(cause)}; npm run build`);
  }
  // Newer engines print an error for the flag, so it is set only where the module does not validate without it.
  if (variant === 'relaxed' && !WebAssembly.validate(bytes)) enableRelaxedSimd();
  if (!WebAssembly.validate(bytes))
    throw new BackendError(`wasm: expected an engine with ${variant} SIMD, got one that refuses the module`);
  return WebAssembly.compile(bytes);
}

/** A fresh instance of a module, which is compiled once. `scratch` answers the kernels' requests for memory. */
export async function instantiate(variant: WasmVariant, scratch: (bytes: number) => number): Promise<WasmExports> {
  const module = compiled.get(variant) ?? compile(variant);
  compiled.set(variant, module);
  module.catch(() => compiled.delete(variant));
  const instance = await WebAssembly.instantiate(await module, { host: { scratch } });
  return instance.exports as unknown as WasmExports;
}
