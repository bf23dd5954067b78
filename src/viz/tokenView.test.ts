import { describe, expect, it } from 'vitest';
import { ShapeError, UsageError } from '../core/errors.js';
import { tokenViewSvg } from './tokenView.js';

const tokens = ['the', '<b>', '\u202ecat', ''];
const received = { name: 'attention received', tokens, scores: [0.1, 2, 1, Number.NaN] };

describe('tokenViewSvg', () => {
  const svg = tokenViewSvg([received, { ...received, name: 'rollout', scores: [4, 0, 0, 0] }], { theme: 'light' });

  it('colours every token by its score, each text on its own scale', () => {
    expect([...svg.matchAll(/<rect class="(\w+)" x/g)].map(([, level]) => level)).toEqual([
      'w3',
      'w63',
      'w32',
      'x',
      'w63',
      'w0',
      'w0',
      'w0',
    ]);
    expect(svg).toContain('<title>the: 0.1000</title>');
    expect(svg).toContain('attention received highest at &lt;b&gt;; rollout highest at the.');
  });

  it('keeps hostile tokens inert', () => {
    expect(svg).not.toContain('<b>');
    expect(svg).not.toContain('\u202e');
  });

  it('refuses scores that do not fit, no text, and a text too long', () => {
    expect(() => tokenViewSvg([{ ...received, scores: [1] }])).toThrow(ShapeError);
    expect(() => tokenViewSvg([])).toThrow(ShapeError);
    const long = Array.from({ length: 3000 }, () => 'a');
    expect(() => tokenViewSvg([{ name: 'x', tokens: long, scores: long.map(() => 1) }])).toThrow(UsageError);
  });
});
