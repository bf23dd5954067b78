import { describe, expect, it } from 'vitest';
import { ShapeError } from '../core/errors.js';
import { maskMapSvg } from './maskMap.js';

const picture = {
  name: 'a <window>',
  block: [64, 64],
  kinds: [
    ['full', 'partial', 'empty', 'empty'],
    ['partial', 'full', 'full', 'empty'],
  ],
} as const;

describe('maskMapSvg', () => {
  const svg = maskMapSvg(picture, { size: 200, theme: 'light' });

  it('draws runs of blocks, each kind in a way of its own', () => {
    const map = svg.slice(0, svg.indexOf('>empty</text>'));
    expect(map.match(/class="d0" x="\d+" y="\d+" width="(\d+)"/g)).toEqual([
      'class="d0" x="0" y="0" width="50"',
      'class="d0" x="50" y="50" width="100"',
    ]);
    expect(map.match(/fill="url\(#keyhole-partial\)"/g)).toHaveLength(2);
  });

  it('says in words what it shows, and escapes the name', () => {
    expect(svg).toContain('2 x 4 blocks of 64 queries and 64 keys: 3 empty, 2 partial, 3 full.');
    expect(svg).toContain('Mask: a &lt;window&gt;');
    for (const kind of ['empty', 'partial', 'full']) expect(svg).toContain(`>${kind}</text>`);
  });

  it('refuses a map without blocks or with ragged rows', () => {
    expect(() => maskMapSvg({ ...picture, kinds: [] })).toThrow(ShapeError);
    expect(() => maskMapSvg({ ...picture, kinds: [['full'], []] })).toThrow('rows of one length');
  });
});
