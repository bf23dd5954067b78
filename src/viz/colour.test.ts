import { describe, expect, it } from 'vitest';
import { divergingLevels, rampLevels } from './client/shared.js';
import { darkDiverging, darkRamp, lightDiverging, lightRamp } from './colour.js';

/** OKLab of a hexadecimal colour: the forward transform, which colour.ts does not contain. */
function oklab(colour: string): [number, number, number] {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const encoded = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
  });
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

describe.each([
  ['light', lightRamp, -1],
  ['dark', darkRamp, 1],
] as const)('%s ramp', (_, ramp, direction) => {
  const points = ramp.map(oklab);

  it('has distinct colours', () => {
    expect(new Set(ramp).size).toBe(rampLevels);
  });

  it('changes lightness in one direction only, so that it survives colour blindness', () => {
    for (let i = 1; i < points.length; i++) {
      expect(direction * ((points[i]?.[0] ?? 0) - (points[i - 1]?.[0] ?? 0))).toBeGreaterThan(0.002);
    }
  });

  it('takes steps of equal perceptual size', () => {
    const steps = points.slice(1).map((p, i) => {
      const q = points[i] ?? p;
      return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
    });
    // Rounding to 8 bits a channel moves a step of about 0.016 by up to a fifth; measured ratio below 1.5.
    expect(Math.max(...steps) / Math.min(...steps)).toBeLessThan(1.8);
  });
});

describe.each([
  ['light', lightDiverging, -1],
  ['dark', darkDiverging, 1],
] as const)('%s diverging ramp', (_, ramp, direction) => {
  const points = ramp.map(oklab);
  const middle = (divergingLevels - 1) / 2;

  it('has distinct colours around a neutral one', () => {
    expect(new Set(ramp).size).toBe(divergingLevels);
    const [, a, b] = points[middle] ?? [0, 1, 1];
    expect(Math.hypot(a, b)).toBeLessThan(0.012);
  });

  it('changes lightness in one direction from the middle to either end', () => {
    for (let i = 1; i <= middle; i++) {
      for (const side of [-1, 1]) {
        const [far, near] = [points[middle + side * i], points[middle + side * (i - 1)]];
        expect(direction * ((far?.[0] ?? 0) - (near?.[0] ?? 0))).toBeGreaterThan(0.002);
      }
    }
  });

  it('keeps its sides apart on the axis from blue to yellow, which red-green blindness leaves', () => {
    for (let i = 8; i <= middle; i++) {
      expect((points[middle + i]?.[2] ?? 0) - (points[middle - i]?.[2] ?? 0)).toBeGreaterThan(0.05);
    }
  });
});
