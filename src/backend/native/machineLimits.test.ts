/** Limits are measured: a rate for every target, and hostile arguments are refused. */

import { describe, expect, it } from 'vitest';
import { addonIfBuilt } from '../../../test/native/addonIfBuilt.js';

const native = addonIfBuilt();

describe.skipIf(!native)('multiplyAddRate and copyRate', () => {
  it('give a plausible rate for every target that runs here', () => {
    native?.targets().forEach((name, index) => {
      if (name === null) return;
      const rate = native.multiplyAddRate(index, 1);
      expect(rate, name).toBeGreaterThan(1e8);
      expect(rate, name).toBeLessThan(1e13);
    });
  });

  it('throw for values that are not what they take', () => {
    const rate = native?.multiplyAddRate as (...values: unknown[]) => number;
    const copy = native?.copyRate as (...values: unknown[]) => number;
    for (const bad of [undefined, 'x', -1, 0.5, 99, Number.NaN]) {
      expect(() => rate(bad, 1)).toThrow(TypeError);
      expect(() => rate(0, bad)).toThrow(TypeError);
      expect(() => copy(bad)).toThrow(TypeError);
    }
    expect(() => rate()).toThrow(TypeError);
    expect(() => copy(0)).toThrow(TypeError);
  });
});
