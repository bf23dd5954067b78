// Keyhole with the default record, which no peer can give.
import { prepare as prepareOn } from './keyhole.mjs';

export function prepare(testCase, inputs) {
  return prepareOn(testCase, inputs, { record: true });
}
