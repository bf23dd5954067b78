import { describe, expect, it } from 'vitest';
import { ShapeError, UsageError } from '../core/errors.js';
import type { AttentionPicture } from '../core/records.js';
import { commonMaximum, heatMapSvg } from './heatMap.js';
import { groupPictures, meanPicture } from './pictureGroup.js';
import { mostSelective, selectivityNats } from './selective.js';

const picture: AttentionPicture = {
  path: 'decoder.blocks.1.crossAttention',
  kind: 'cross',
  head: 2,
  rows: ['K', 'IY'],
  columns: ['k', 'e', 'y'],
  weights: [
    [0.9, 0.1, Number.NaN],
    [0.05, 0.5512345, 0.3987655],
  ],
};

const count = (text: string, pattern: RegExp): number => (text.match(pattern) ?? []).length;

describe('heatMapSvg', () => {
  const svg = heatMapSvg(picture, { rowTitle: 'sounds', columnTitle: 'letters', theme: 'light' });

  it('draws one cell a pair, with its value, and masked pairs as masked', () => {
    expect(count(svg, /class="cell /g)).toBe(6);
    expect(count(svg, /class="cell x"/g)).toBe(1);
    expect(svg).toContain('<title>IY attends to e: 0.5512</title>');
    expect(svg).toContain('<title>K attends to y: masked</title>');
  });

  it('labels both axes and every token', () => {
    for (const words of [
      '>sounds</text>',
      '>letters</text>',
      '>IY</text>',
      '>y</text>',
      '>weight</text>',
      '>masked</text>',
    ]) {
      expect(svg).toContain(words);
    }
  });

  it('has a name and a description for screen readers', () => {
    expect(svg).toMatch(/role="img" aria-labelledby="keyhole-title keyhole-description"/);
    expect(svg).toContain('Decoder cross-attention, layer 1, head 2</title>');
    expect(svg).toContain('IY most to e');
  });

  it('gives higher weights later colours', () => {
    const level = (name: string): number =>
      Number(new RegExp(`class="cell w(\\d+)"[^>]*><title>${name}`).exec(svg)?.[1]);
    expect(level('K attends to k')).toBeGreaterThan(level('IY attends to e'));
    expect(level('IY attends to e')).toBeGreaterThan(level('IY attends to y'));
  });

  it('holds plain colours in a fixed theme and follows the reader otherwise', () => {
    expect(svg).not.toContain('var(--');
    expect(heatMapSvg(picture)).toContain('prefers-color-scheme:dark');
  });

  it.each([1, 7, 40, 100])('stays within sensible sizes for %i tokens', (n) => {
    const tokens = Array.from({ length: n }, (_, i) => `t${i}`);
    const weights = tokens.map(() => tokens.map(() => 1 / n));
    const [, width] = /width="(\d+)"/.exec(heatMapSvg({ ...picture, rows: tokens, columns: tokens, weights })) ?? [];
    expect(Number(width)).toBeGreaterThan(100);
    expect(Number(width)).toBeLessThan(900);
  });

  it('refuses weights that do not fit their tokens, and pictures too large', () => {
    expect(() => heatMapSvg({ ...picture, rows: ['K'] })).toThrow(ShapeError);
    expect(() => heatMapSvg({ ...picture, weights: [[1], [1]] })).toThrow(
      'heatMap: expected weights [rows, columns] = [2, 3] with at least one each, got [2, 1]',
    );
    const rows = Array.from({ length: 300 }, () => 'a');
    expect(() => heatMapSvg({ ...picture, rows, weights: rows.map(() => [1, 0, 0]) })).toThrow(UsageError);
  });
});

describe('groups of pictures', () => {
  const other = {
    ...picture,
    head: 3,
    weights: [
      [0.1, 0.9, Number.NaN],
      [0.25, 0.25, 0.5],
    ],
  };
  const self: AttentionPicture = { ...picture, path: 'encoder.blocks.0.attention', kind: 'self' };

  it('puts cross-attention first, and adds means over heads', () => {
    const groups = groupPictures([self, picture, other]);
    expect(groups.map(({ stack }) => stack)).toEqual(['Decoder cross-attention', 'Encoder self-attention']);
    expect(groups[0]?.entries.map(({ label }) => label)).toEqual([
      'layer 1, head 2',
      'layer 1, head 3',
      'layer 1, mean of 2 heads',
    ]);
  });

  it('averages pair by pair and keeps masked pairs masked', () => {
    const { weights } = meanPicture([picture, other]);
    expect(weights[0]?.[0]).toBeCloseTo(0.5);
    expect(weights[0]?.[2]).toBeNaN();
  });

  it('rounds the common scale up', () => {
    expect(commonMaximum([picture])).toBe(1);
    expect(commonMaximum([{ weights: [[0.05, 0.15]] }])).toBe(0.2);
  });
});

describe('selectivity', () => {
  const withWeights = (head: number, weights: number[][]): AttentionPicture => ({
    ...picture,
    head,
    columns: ['a', 'b'],
    weights,
  });
  const diagonal = withWeights(0, [
    [1, 0],
    [0, 1],
  ]);
  const even = withWeights(1, [
    [0.5, 0.5],
    [0.5, 0.5],
  ]);
  const sink = withWeights(2, [
    [1, 0],
    [1, 0],
  ]);

  it('is ln 2 for two queries with a key each, and 0 for even attention and for a sink', () => {
    expect(selectivityNats(diagonal)).toBeCloseTo(Math.LN2);
    expect(selectivityNats(even)).toBeCloseTo(0);
    expect(selectivityNats(sink)).toBeCloseTo(0);
  });

  it('chooses the head that follows the query', () => {
    expect(mostSelective([sink, even, diagonal])).toEqual({ path: picture.path, head: 0 });
    expect(mostSelective([])).toBeUndefined();
  });
});
