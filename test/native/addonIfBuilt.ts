/** The addon, for tests of it. Where no compiler built one there is nothing to test; the conformance suite says why. */

import { type Addon, addon } from '../../src/backend/native/addon.js';

export function addonIfBuilt(): Addon | undefined {
  try {
    return addon();
  } catch {
    return undefined;
  }
}
