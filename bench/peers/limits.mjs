// What the machine could do at most on one thread, measured by Keyhole's own functions before anything is compared.

import { measureNativeLimits } from '../../dist/backend/native/machineLimits.js';
import { measureWasmLimits } from '../../dist/backend/wasm/machineLimits.js';
import { loadBackend } from '../../dist/index.js';

/** Peak and copy bandwidth of compiled code and of WebAssembly, each with the widest instructions that Keyhole found. */
export async function limitsOf() {
  const native = await loadBackend({ backend: 'native', threads: 1 });
  const wasm = await loadBackend({ backend: 'wasm' });
  return {
    native: measureNativeLimits(native.info.target, 1),
    wasm: measureWasmLimits(wasm.info.target === 'wasm-relaxed'),
  };
}
