/**
 * The colours of weights: sequential and diverging ramps, computed here rather than copied, for light and for dark paper.
 *
 * Each is a smooth path through OKLab (Björn Ottosson, "A perceptual color space for image processing", 2020) whose
 * lightness rises or falls all the way, cut into steps of equal OKLab distance. Since lightness alone orders the
 * colours, they survive every kind of colour blindness and grey print. Low weights fade into the paper in both. A
 * diverging ramp is two such paths from the paper, to blue and to orange, the pair that colour blindness keeps apart.
 */

import { divergingLevels, rampLevels } from './client/shared.js';

type Lab = readonly [lightness: number, a: number, b: number];

/** Lightness, chroma and hue (degrees) at the start, the middle and the end of a path. */
type Path = readonly (readonly [lightness: number, chroma: number, hue: number])[];

const lightPath: Path = [
  [0.972, 0.018, 105],
  [0.69, 0.105, 195],
  [0.29, 0.115, 277],
];
const darkPath: Path = [
  [0.245, 0.025, 277],
  [0.6, 0.105, 205],
  [0.965, 0.1, 105],
];

/** The quadratic through three equally spaced values, at t in [0, 1]. */
function quadratic(start: number, middle: number, end: number, t: number): number {
  return start * (1 - t) * (1 - 2 * t) + 4 * middle * t * (1 - t) + end * t * (2 * t - 1);
}

function pointOf(path: Path, t: number): Lab {
  const at = (axis: 0 | 1 | 2): number =>
    quadratic(path[0]?.[axis] ?? 0, path[1]?.[axis] ?? 0, path[2]?.[axis] ?? 0, t);
  const hue = (at(2) * Math.PI) / 180;
  return [at(0), at(1) * Math.cos(hue), at(1) * Math.sin(hue)];
}

function distance(p: Lab, q: Lab): number {
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

/** `count` points along the path, neighbours equally far apart. */
function equalSteps(path: Path, count: number): Lab[] {
  const fine = Array.from({ length: 4096 }, (_, i) => pointOf(path, i / 4095));
  const lengths = [0];
  fine.forEach((point, i) => {
    const previous = fine[i - 1];
    if (previous) lengths.push((lengths[i - 1] ?? 0) + distance(previous, point));
  });
  const total = lengths[lengths.length - 1] ?? 0;
  return Array.from({ length: count }, (_, step) => {
    const wanted = (total * step) / (count - 1);
    const index = lengths.findIndex((length) => length >= wanted - 1e-12);
    return fine[index] ?? pointOf(path, 1);
  });
}

/** OKLab to linear sRGB; the matrices are Ottosson's. */
function linearRgb([lightness, a, b]: Lab): [number, number, number] {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** A linear channel as two hexadecimal digits, by the sRGB transfer curve. */
function channel(linear: number): string {
  const bounded = Math.min(1, Math.max(0, linear));
  const encoded = bounded <= 0.0031308 ? 12.92 * bounded : 1.055 * bounded ** (1 / 2.4) - 0.055;
  return Math.round(encoded * 255)
    .toString(16)
    .padStart(2, '0');
}

function ramp(path: Path, levels = rampLevels): readonly string[] {
  return equalSteps(path, levels).map((point) => `#${linearRgb(point).map(channel).join('')}`);
}

/** From the far end of `low` over the shared neutral colour to the far end of `high`. */
function diverging(low: Path, high: Path): readonly string[] {
  const half = (divergingLevels + 1) / 2;
  return [...[...ramp(low, half)].reverse(), ...ramp(high, half).slice(1)];
}

/** Weight 0 to maximum on light paper: off-white over teal to deep indigo. */
export const lightRamp: readonly string[] = ramp(lightPath);

/** Weight 0 to maximum on dark paper: near-black over teal to pale yellow. */
export const darkRamp: readonly string[] = ramp(darkPath);

/** Differences from -maximum (blue) over none (paper) to +maximum (orange), on light and on dark paper. */
export const lightDiverging: readonly string[] = diverging(
  [
    [0.975, 0.004, 255],
    [0.73, 0.09, 252],
    [0.38, 0.13, 260],
  ],
  [
    [0.975, 0.004, 60],
    [0.75, 0.12, 58],
    [0.45, 0.125, 40],
  ],
);
export const darkDiverging: readonly string[] = diverging(
  [
    [0.245, 0.008, 265],
    [0.55, 0.11, 255],
    [0.88, 0.075, 240],
  ],
  [
    [0.245, 0.008, 50],
    [0.56, 0.12, 50],
    [0.9, 0.1, 78],
  ],
);
