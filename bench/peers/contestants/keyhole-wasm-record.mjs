// Keyhole's WebAssembly kernels with the default record.
import { prepare as prepareOn } from './keyhole.mjs';

export function prepare(testCase, inputs) {
  return prepareOn(testCase, inputs, { backend: 'wasm', record: true });
}
