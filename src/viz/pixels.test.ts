import { deflateSync } from 'node:zlib';
import { Resvg } from '@resvg/resvg-js';
import { expect, test } from 'vitest';
import { ShapeError } from '../core/errors.js';
import { lightRamp } from './colour.js';
import { heatMapPixels } from './pixels.js';

/** The colour of a pixel, as another decoder of PNG sees it. */
function decoded(png: Uint8Array, width: number, height: number): (x: number, y: number) => string {
  const data = Buffer.from(png).toString('base64');
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><image width="${width}" height="${height}" image-rendering="optimizeSpeed" href="data:image/png;base64,${data}"/></svg>`;
  const { pixels } = new Resvg(svg).render();
  return (x, y) => `#${Buffer.from(pixels.subarray(4 * (y * width + x), 4 * (y * width + x) + 3)).toString('hex')}`;
}

test('heads side by side: weights in the colours of the ramp, masks grey, a white gap', () => {
  const heads = [{ weights: [[0, 1]] }, { weights: [[Number.NaN, 0.5]] }];
  const { width, height, png } = heatMapPixels(heads, deflateSync);
  expect([width, height]).toEqual([8 * 5, 8]);
  const colour = decoded(png, width, height);
  const middles = [0, 1, 2, 3, 4].map((cell) => colour(8 * cell + 4, 4));
  expect(middles).toEqual([lightRamp[0], lightRamp[63], '#ffffff', '#a9aeb8', lightRamp[32]]);
});

test('many weights take one pixel each', () => {
  const weights = [new Array<number>(500).fill(0.1)];
  expect(heatMapPixels([{ weights }, { weights }], deflateSync)).toMatchObject({ width: 1001, height: 1 });
});

test('pictures that do not fit are a ShapeError', () => {
  for (const pictures of [[], [{ weights: [] }], [{ weights: [[1]] }, { weights: [[1, 0]] }]])
    expect(() => heatMapPixels(pictures, deflateSync)).toThrow(ShapeError);
});
