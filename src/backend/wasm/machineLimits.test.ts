/** The module that measures is valid in both variants, and gives a plausible rate. */

import { describe, expect, it } from 'vitest';
import { loadBackend } from '../registry.js';
import { measureWasmLimits } from './machineLimits.js';

describe('measureWasmLimits', () => {
  it.each(['relaxed', 'simd'])('measures %s', async (target) => {
    await loadBackend({ backend: 'wasm', target }); // asks Node 20 for relaxed SIMD
    const { peakGflops, copyGigabytesPerSecond } = measureWasmLimits(target === 'relaxed');
    expect(peakGflops).toBeGreaterThan(0.1);
    expect(peakGflops).toBeLessThan(1e3);
    expect(copyGigabytesPerSecond).toBeGreaterThan(0.1);
  });
});
