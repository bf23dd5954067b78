import { describe, expect, it } from 'vitest';
import { ShapeError, UsageError } from '../core/errors.js';
import type { AttentionPicture } from '../core/records.js';
import { differencePictures } from './difference.js';
import { heatMapSvg } from './heatMap.js';
import { renderAttentionSvg } from './inspect.js';

const before: AttentionPicture = {
  path: 'blocks.0.attention',
  kind: 'self',
  head: 0,
  rows: ['the', 'dog'],
  columns: ['the', 'dog'],
  weights: [
    [1, Number.NaN],
    [0.75, 0.25],
  ],
};
const after: AttentionPicture = {
  ...before,
  rows: ['the', 'cat'],
  columns: ['the', 'cat'],
  weights: [
    [1, Number.NaN],
    [0.5, 0.5],
  ],
};

describe('differencePictures', () => {
  it('subtracts pair by pair, keeps masked pairs masked, and shows both tokens where they differ', () => {
    const [difference] = differencePictures([after], [before]);
    expect(difference?.weights).toEqual([
      [0, Number.NaN],
      [-0.25, 0.25],
    ]);
    expect(difference?.rows).toEqual(['the', 'cat | dog']);
  });

  it('refuses sides without a common head, and sizes that differ', () => {
    expect(() => differencePictures([after], [{ ...before, head: 1 }])).toThrow(UsageError);
    expect(() => differencePictures([after], [{ ...before, rows: ['a'], weights: [[1, 0]] }])).toThrow(ShapeError);
  });

  it('is drawn with signs, and no change in the neutral colour', () => {
    const [difference = after] = differencePictures([after], [before]);
    const svg = heatMapSvg(difference, { scale: 'difference', theme: 'light' });
    expect(svg).toContain('class="cell v31"');
    expect(svg).toContain('<title>cat | dog attends to cat | dog: +0.2500</title>');
    expect(svg).toContain('<title>cat | dog attends to the: −0.2500</title>');
    expect(svg).toContain('>+0.4</text>');
  });

  it('opens on the head that changed most', () => {
    const still = { ...before, head: 1 };
    const pictures = differencePictures([after, still], [before, still]);
    expect(renderAttentionSvg({ title: 'Change', input: 'x', pictures, difference: true })).toContain(
      'layer 0, head 0.',
    );
  });
});

describe('the logarithmic scale', () => {
  it('tells small weights apart that the linear scale does not', () => {
    const row = [0.9, 0.001, 0.0001, 0];
    const picture = { ...before, rows: ['a'], columns: ['a', 'b', 'c', 'd'], weights: [row] };
    const levels = (scale: 'linear' | 'logarithmic'): number[] =>
      [...heatMapSvg(picture, { scale, maximum: 1, theme: 'light' }).matchAll(/class="cell w(\d+)"/g)].map(
        ([, level]) => Number(level),
      );
    expect(levels('linear')).toEqual([57, 0, 0, 0]);
    expect(levels('logarithmic')).toEqual([62, 16, 0, 0]);
  });
});
