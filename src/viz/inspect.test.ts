import { describe, expect, it } from 'vitest';
import { UsageError } from '../core/errors.js';
import type { AttentionPicture } from '../core/records.js';
import { clientScript } from './client/script.js';
import { levelOf, nextIndex } from './client/shared.js';
import { renderAttentionHtml, renderAttentionJson, renderAttentionSvg } from './inspect.js';
import { renderAttentionPng } from './png.js';

const picture: AttentionPicture = {
  path: 'decoder.blocks.0.crossAttention',
  kind: 'cross',
  head: 0,
  rows: ['K', '</s>'],
  columns: ['k', '\u202e'],
  weights: [
    [0.123456789, 0.876543211],
    [1, Number.NaN],
  ],
};
const figure = { title: 'Attention', input: 'key<b>', pictures: [picture, { ...picture, head: 1 }] };

describe('inspect renderers', () => {
  it('write JSON that reads back unrounded, masked as null', () => {
    const read = JSON.parse(renderAttentionJson(figure));
    expect(read.input).toBe('key<b>');
    expect(read.pictures).toHaveLength(2);
    expect(read.pictures[0]).toEqual({
      ...picture,
      weights: [
        [0.123456789, 0.876543211],
        [1, null],
      ],
    });
  });

  it('write one SVG with a large map and every head', () => {
    const svg = renderAttentionSvg(figure);
    expect(svg.startsWith('<svg xmlns="http://www.w3.org/2000/svg"')).toBe(true);
    expect(svg.match(/class="cell /g)).toHaveLength(4);
    expect(svg.match(/class="room"/g)).toHaveLength(3); // two heads and their mean
  });

  it('write HTML in which the input is text and every request is forbidden', () => {
    const html = renderAttentionHtml(figure);
    expect(html).toContain('key&lt;b&gt;');
    expect(html).not.toContain('<b>');
    expect(html).toContain("default-src 'none'");
    expect(html).not.toContain('\u202e');
  });

  it('write a PNG of the same size', async () => {
    const png = await renderAttentionPng(figure, { scale: 1 });
    const [, width] = /width="(\d+)"/.exec(renderAttentionSvg(figure)) ?? [];
    expect(Array.from(png.slice(1, 4), (byte) => String.fromCharCode(byte)).join('')).toBe('PNG');
    expect(new DataView(png.buffer, png.byteOffset).getUint32(16)).toBe(Number(width));
  });

  it('ask for at least one picture', () => {
    expect(() => renderAttentionSvg({ ...figure, pictures: [] })).toThrow(UsageError);
  });
});

describe('the script of a page', () => {
  const panel = { rows: [], columns: [], maximum: 1, scale: 'linear', choice: 0, pictures: [] } as const;

  it('is one script that parses by itself', () => {
    const source = clientScript({ panels: [panel], charts: [{ positions: [1] }] });
    expect(() => new Function(source)).not.toThrow();
    expect(source).not.toMatch(/import|require|<\/script|<!--/);
  });

  it('moves through grids, also with a short last row', () => {
    expect(nextIndex('ArrowRight', 0, 3, 7)).toBe(1);
    expect(nextIndex('ArrowRight', 2, 3, 7)).toBe(2);
    expect(nextIndex('ArrowDown', 5, 3, 7)).toBe(6);
    expect(nextIndex('ArrowDown', 6, 3, 7)).toBe(6);
    expect(nextIndex('ArrowUp', 1, 3, 7)).toBe(1);
    expect(nextIndex('End', 3, 3, 7)).toBe(5);
    expect(nextIndex('a', 3, 3, 7)).toBeUndefined();
  });

  it('keeps levels in the ramp', () => {
    expect([-1, 0, 0.5, 1, 2].map((weight) => levelOf(weight, 1, 64))).toEqual([0, 0, 32, 63, 63]);
  });
});
