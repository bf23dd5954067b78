// Keyhole's WebAssembly kernels.
import { prepare as prepareOn } from './keyhole.mjs';

export function prepare(testCase, inputs) {
  return prepareOn(testCase, inputs, { backend: 'wasm' });
}
