/**
 * Heat maps as bare pixels, for logs that want many small pictures: no text, no fonts, one to eight pixels a weight.
 * The drawing for people, with tokens and a legend: heatMap.ts.
 */

import { crc32 } from '../core/checksum.js';
import { ShapeError } from '../core/errors.js';
import { levelOf, rampLevels } from './client/shared.js';
import { lightRamp } from './colour.js';
import { commonMaximum, type Weights } from './heatMap.js';

/** A PNG file with its size in pixels. */
export interface PngPixels {
  readonly width: number;
  readonly height: number;
  readonly png: Uint8Array;
}

/** zlib's compression (RFC 1950), such as `deflateSync` of node:zlib. */
export type Deflate = (bytes: Uint8Array) => Uint8Array;

/** Pictures are not made wider than this, as long as a weight keeps one pixel. */
const widest = 768;
/** Colours after the ramp. */
const [masked, gap] = [rampLevels, rampLevels + 1];
const palette = [...lightRamp, '#a9aeb8', '#ffffff'];
/** The palette in bytes: red, green, blue. */
const colours = Uint8Array.from(
  palette.flatMap((hex) => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16))),
);

/**
 * Heat maps of one size side by side, on one scale of colours: one row of pixels a query, grey where a mask forbids.
 *
 * Errors: ShapeError for no pictures, none with weights, or pictures of several sizes.
 */
export function heatMapPixels(pictures: readonly Pick<Weights, 'weights'>[], deflate: Deflate): PngPixels {
  const [rows, columns] = [pictures[0]?.weights.length ?? 0, pictures[0]?.weights[0]?.length ?? 0];
  const fits = ({ weights }: Pick<Weights, 'weights'>): boolean =>
    weights.length === rows && weights.every((row) => row.length === columns);
  if (rows * columns === 0 || !pictures.every(fits)) {
    throw new ShapeError(
      `heatMapPixels: expected pictures with weights [rows, columns] = [${rows}, ${columns}] and at least one, got ${pictures.length}`,
    );
  }
  const grid = colourGrid(pictures, commonMaximum(pictures));
  const cells = grid[0]?.length ?? 1;
  const scale = Math.max(1, Math.min(8, Math.floor(widest / cells)));
  const [width, height] = [cells * scale, rows * scale];
  return { width, height, png: indexedPng(width, height, deflate(scanlines(grid, width, scale))) };
}

/** Every line of the grid `scale` pixels high, each behind a byte that says: no filter. */
function scanlines(grid: readonly (readonly number[])[], width: number, scale: number): Uint8Array {
  const lines = new Uint8Array(grid.length * scale * (1 + width));
  for (const [row, line] of grid.entries()) {
    const start = row * scale * (1 + width);
    for (const [cell, colour] of line.entries()) {
      lines.fill(colour, start + 1 + cell * scale, start + 1 + (cell + 1) * scale);
    }
    for (let copy = 1; copy < scale; copy++) {
      lines.copyWithin(start + copy * (1 + width), start, start + 1 + width);
    }
  }
  return lines;
}

/** Indices into the palette, one a weight, the maps separated by a gap. */
function colourGrid(pictures: readonly Pick<Weights, 'weights'>[], maximum: number): number[][] {
  const colourOf = (weight: number): number => (Number.isNaN(weight) ? masked : levelOf(weight, maximum, rampLevels));
  return (pictures[0]?.weights ?? []).map((_, row) =>
    pictures.flatMap(({ weights }, index) => [...(index > 0 ? [gap] : []), ...(weights[row] ?? []).map(colourOf)]),
  );
}

/** A PNG with eight bits of palette index a pixel. Source: PNG, third edition, §5 and §11. */
function indexedPng(width: number, height: number, pixels: Uint8Array): Uint8Array {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 3, 0, 0, 0], 8); // bit depth, colour type "indexed", compression, filter, no interlace
  const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  const chunks = [
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('IDAT', pixels),
    chunk('IEND', new Uint8Array()),
  ];
  const png = new Uint8Array([signature, ...chunks].reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of [signature, ...chunks]) {
    png.set(part, at);
    at += part.length;
  }
  return png;
}

/** Length, type, content, checksum of type and content. */
function chunk(type: string, content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + content.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(content, 8);
  view.setUint32(8 + content.length, crc32(bytes.subarray(4, 8 + content.length)));
  return bytes;
}
