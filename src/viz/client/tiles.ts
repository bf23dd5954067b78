/**
 * The map of a long text inside a page. A window of the pattern is drawn on at most 256 × 256 pixels; the whole is what
 * the kernel pooled, a part is recomputed from q, k and lse: p = exp(scale · q·k - lse). Its markup: ../tilePage.ts.
 */

import type { TileData } from './data.js';
import type { ClientTools, Scale } from './shared.js';

declare const keyhole: ClientTools;
declare const rampLevels: number;
declare const logarithmicDecades: number;

/** Square part of the pattern: tokens from `row` and `column` on, `size` of each, drawn as `bins` × `bins`. */
interface TileWindow {
  readonly row: number;
  readonly column: number;
  readonly size: number;
  readonly bins: number;
}

interface Vectors {
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly lse: Float32Array;
}

/** One weight of the pattern; 0 where the causal mask forbids it. */
function weightAt({ width, scale, causal }: TileData, { q, k, lse }: Vectors, row: number, column: number): number {
  if (causal && column > row) return 0;
  let dot = 0;
  for (let d = 0; d < width; d++) dot += (q[row * width + d] ?? 0) * (k[column * width + d] ?? 0);
  return Math.exp(scale * dot - (lse[row] ?? 0));
}

/** One line of a window: the mean over its queries of what each bin of keys got. */
function lineOf(data: TileData, vectors: Vectors, window: TileWindow, line: number): Float64Array {
  const { row, column, size, bins } = window;
  const sums = new Float64Array(bins);
  const length = data.tokens.length;
  const each = size / bins;
  const [start, end] = [row + line * each, Math.min(length, row + (line + 1) * each)];
  for (let r = start; r < end; r++) {
    const last = Math.min(length, column + size);
    for (let c = column; c < last; c++) {
      const bin = Math.floor((c - column) / each);
      sums[bin] = (sums[bin] ?? 0) + weightAt(data, vectors, r, c) / (end - start);
    }
  }
  return sums;
}

/** A colour of the page as red, green and blue. */
function colourOf(name: string): number[] {
  const hex = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

/** First position of a bin: the kernel puts position x of `size` into bin floor(x · bins / size). */
function startOf({ size, bins }: TileWindow, bin: number): number {
  return Math.ceil((bin * size) / bins);
}

/** Whether the causal mask forbids every pair of a bin: its first key comes after its last query. */
function forbidden(data: TileData, window: TileWindow, bin: number): boolean {
  const lastRow = window.row + startOf(window, Math.floor(bin / window.bins) + 1) - 1;
  return data.causal && window.column + startOf(window, bin % window.bins) > lastRow;
}

/** The largest of some values that are not masked. */
function largest(values: Float64Array): number {
  return values.reduce((most, value) => (value > most ? value : most), 1e-12);
}

/** Paints values [bins, bins] up to the largest, NaN hatched, each bin as a square of whole pixels. */
function paintTiles(canvas: HTMLCanvasElement, values: Float64Array, bins: number, scale: Scale): void {
  const ramp = Array.from({ length: rampLevels }, (_, level) => colourOf(`w${level}`));
  const [paper = [], hatch = []] = ['paper', 'hatch'].map((name) => colourOf(name));
  const maximum = largest(values);
  const each = Math.max(1, Math.floor(768 / bins));
  const side = bins * each;
  canvas.width = side;
  canvas.height = side;
  const context = canvas.getContext('2d');
  if (!context) return;
  const image = context.createImageData(side, side);
  const colours = Array.from(values, (value) =>
    Number.isNaN(value) ? undefined : ramp[keyhole.levelOf(keyhole.positionOf(value, maximum, scale), 1, rampLevels)],
  );
  const pixels = new Uint32Array(image.data.buffer);
  for (let y = 0; y < side; y++) {
    const line = Math.floor(y / each) * bins;
    for (let x = 0; x < side; x++) {
      const colour = colours[line + Math.floor(x / each)] ?? ((x + y) % 8 === 0 ? hatch : paper);
      pixels[y * side + x] = 0xff000000 | ((colour[2] ?? 0) << 16) | ((colour[1] ?? 0) << 8) | (colour[0] ?? 0);
    }
  }
  context.putImageData(image, 0, 0);
}

/** Says what the ends of the colours mean. */
function nameEnds(figure: Element, maximum: number, scale: Scale): void {
  const low = scale === 'linear' ? 0 : maximum / 10 ** logarithmicDecades;
  for (const [name, value] of [
    ['.low', low],
    ['.high', maximum],
  ] as const) {
    const end = figure.querySelector(name);
    if (end) end.textContent = keyhole.weightText(value);
  }
}

/** Computes a window line by line, letting the page breathe every 20 ms; `alive` ends it when another is wanted. */
function computeTiles(
  line: (index: number) => Float64Array,
  bins: number,
  alive: () => boolean,
  done: (values: Float64Array) => void,
): void {
  const values = new Float64Array(bins * bins);
  let next = 0;
  const work = (): void => {
    const until = performance.now() + 20;
    while (next < bins && performance.now() < until) {
      values.set(line(next), next * bins);
      next++;
    }
    if (!alive()) return;
    if (next < bins) setTimeout(work);
    else done(values);
  };
  work();
}

/** What stands at one bin of a window. */
function tileText({ tokens }: TileData, window: TileWindow, bin: number, value: number): string {
  const { row, column, size, bins } = window;
  const each = size / bins;
  const [down, across] = [Math.floor(bin / bins), bin % bins];
  const [r, c] = [row + startOf(window, down), column + startOf(window, across)];
  const weight = keyhole.weightText(value);
  if (each <= 1) return `${tokens[r] ?? ''} (${r}) attends to ${tokens[c] ?? ''} (${c}): ${weight}`;
  const [lastRow, lastColumn] = [row + startOf(window, down + 1) - 1, column + startOf(window, across + 1) - 1];
  return `queries ${r} to ${lastRow}, keys ${c} to ${lastColumn}: mean mass ${weight}`;
}

/** Brings a map to life. */
function startTileMap(figure: Element, data: TileData): void {
  const canvas = figure.querySelector('canvas') as HTMLCanvasElement;
  const plot = figure.querySelector('.plot') as HTMLElement;
  const cross = figure.querySelector('.cross') as HTMLElement;
  const box = figure.querySelector('[data-scale]') as HTMLInputElement;
  const whole = { row: 0, column: 0, size: data.tokens.length, bins: data.bins };
  const trail: TileWindow[] = [whole];
  let vectors: Vectors | undefined;
  let values = Float64Array.from(keyhole.decodeFloats(data.tiles, 3));
  let bin = 0;
  const shown = (): TileWindow => trail[trail.length - 1] ?? whole;
  const read = (index: number): void => {
    const { bins } = shown();
    bin = Math.max(0, Math.min(bins * bins - 1, index));
    cross.style.left = `${(100 * ((bin % bins) + 0.5)) / bins}%`;
    cross.style.top = `${(100 * (Math.floor(bin / bins) + 0.5)) / bins}%`;
    keyhole.say(figure, tileText(data, shown(), bin, values[bin] ?? 0));
  };
  const paint = (): void => {
    const scale = box.checked ? 'logarithmic' : 'linear';
    paintTiles(canvas, values, shown().bins, scale);
    nameEnds(figure, largest(values), scale);
  };
  const finish = (found: Float64Array): void => {
    values = found.map((value, at) => (forbidden(data, shown(), at) ? Number.NaN : value));
    const { bins, size } = shown();
    paint();
    figure.setAttribute('data-size', String(size));
    read(Math.floor(bins / 2) * bins + Math.floor(bins / 2));
  };
  const show = (): void => {
    const window = shown();
    if (window === whole) {
      finish(Float64Array.from(keyhole.decodeFloats(data.tiles, 3)));
      return;
    }
    keyhole.say(figure, 'computing …');
    vectors ??= {
      q: keyhole.decodeFloats(data.q, 4),
      k: keyhole.decodeFloats(data.k, 4),
      lse: keyhole.decodeFloats(data.lse, 4),
    };
    const own = vectors;
    computeTiles(
      (line) => lineOf(data, own, window, line),
      window.bins,
      () => shown() === window,
      finish,
    );
  };
  const zoomIn = (): void => {
    const { row, column, size, bins } = shown();
    const least = 16;
    if (size <= least) return;
    const next = Math.max(least, 2 ** Math.floor(Math.log2(size / 4)));
    const at = [row + (Math.floor(bin / bins) * size) / bins, column + ((bin % bins) * size) / bins];
    const [r, c] = at.map((middle) =>
      Math.max(0, Math.min(data.tokens.length - next, Math.round(((middle - next / 2) / next) * 4) * (next / 4))),
    ) as [number, number];
    trail.push({ row: Math.floor(r), column: Math.floor(c), size: next, bins: Math.min(256, next) });
    show();
  };
  const zoomOut = (): void => {
    if (trail.length > 1) trail.pop();
    show();
  };
  const press = (key: string): boolean => {
    const next = keyhole.nextIndex(key, bin, shown().bins, shown().bins ** 2);
    if (key === 'Enter' || key === '+') zoomIn();
    else if (key === 'Escape' || key === '-') zoomOut();
    else if (next !== undefined) read(next);
    else return false;
    return true;
  };
  const binOf = (event: PointerEvent | MouseEvent): number => {
    const box = canvas.getBoundingClientRect();
    const { bins } = shown();
    const place = (part: number): number => Math.max(0, Math.min(bins - 1, Math.floor(part * bins)));
    return place((event.clientY - box.top) / box.height) * bins + place((event.clientX - box.left) / box.width);
  };
  box.addEventListener('change', paint);
  canvas.addEventListener('pointermove', (event) => read(binOf(event)));
  canvas.addEventListener('click', (event) => {
    read(binOf(event));
    zoomIn();
  });
  plot.addEventListener('keydown', (event) => {
    if (press(event.key)) event.preventDefault();
  });
  for (const button of keyhole.every(figure, '[data-key]'))
    button.addEventListener('click', () => press(button.getAttribute('data-key') ?? ''));
  show();
}

export const tileFunctions = [
  weightAt,
  lineOf,
  colourOf,
  startOf,
  forbidden,
  largest,
  paintTiles,
  nameEnds,
  computeTiles,
  tileText,
  startTileMap,
] as const;
