import { describe, expect, it } from 'vitest';
import { UsageError } from '../core/errors.js';
import { heatMapText } from './terminal.js';

const picture = {
  rows: ['K', 'OW'],
  columns: ['k', '</s>', 'e'],
  weights: [
    [1, 0, Number.NaN],
    [0.4, 0.6, 0.2],
  ],
};

describe('heatMapText', () => {
  it('draws a line a query under keys written downwards, masked cells as masked, and says what blocks mean', () => {
    expect(heatMapText('layer 0, head 1', picture).split('\n')).toEqual([
      'layer 0, head 1',
      '     <',
      '     /',
      '     s',
      '   k > e',
      ' K ██  ╱╱',
      'OW ░░▒▒··',
      '',
      '␣␣ 0  ·· 0.2  ░░ 0.4  ▒▒ 0.6  ▓▓ 0.8  ██ 1  ╱╱ masked',
    ]);
  });

  it('keeps columns below each other beside tokens of double width', () => {
    const lines = heatMapText('x', { ...picture, rows: ['猫', 'ab'] }).split('\n');
    expect(lines.slice(5, 7)).toEqual(['猫 ██  ╱╱', 'ab ░░▒▒··']);
  });

  it('keeps hostile tokens inert: no escape, no control, no direction mark, no length', () => {
    const hostile = ['\u001b[31mred\u0007', '\u202eabc\u0000', 'x'.repeat(1_048_576)];
    const weights = hostile.map(() => hostile.map(() => 1 / 3));
    const text = heatMapText('\u001b]0;title\u0007', { rows: hostile, columns: hostile, weights });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(text.length).toBeLessThan(1500);
  });

  it('refuses what does not fit, and says how wide it would be', () => {
    expect(() => heatMapText('x', picture, { width: 8 })).toThrow(UsageError);
    expect(() => heatMapText('x', picture, { width: 8 })).toThrow('at least 9 columns for 2 x 3 tokens, got 8');
  });
});
