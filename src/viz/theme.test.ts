import { describe, expect, it } from 'vitest';
import { stylesheet } from './theme.js';

/** The value of a custom property in a fixed theme. */
function colourOf(theme: 'light' | 'dark', name: string): string {
  return /\.probe\{color:(#[0-9a-f]{6})\}/.exec(stylesheet(theme, `.probe{color:var(--${name})}`))?.[1] ?? '';
}

/** WCAG 2 relative luminance. */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const encoded = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return encoded <= 0.04045 ? encoded / 12.92 : ((encoded + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

describe.each(['light', 'dark'] as const)('%s theme', (theme) => {
  it.each(['ink', 'muted', 'accent', 'good', 'bad'])('writes %s with contrast 4.5 on both grounds', (name) => {
    for (const ground of ['paper', 'raised']) {
      expect(contrast(colourOf(theme, name), colourOf(theme, ground))).toBeGreaterThanOrEqual(4.5);
    }
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('draws line colour %i with contrast 3', (index) => {
    expect(contrast(colourOf(theme, `s${index}`), colourOf(theme, 'paper'))).toBeGreaterThanOrEqual(3);
  });

  it('fades weight 0 into the paper and lifts the highest from it', () => {
    expect(contrast(colourOf(theme, 'w0'), colourOf(theme, 'paper'))).toBeLessThan(1.3);
    expect(contrast(colourOf(theme, 'w63'), colourOf(theme, 'paper'))).toBeGreaterThan(7);
  });
});
