import { describe, expect, it } from 'vitest';
import { UsageError } from '../core/errors.js';
import { PieceText } from './sequenceText.js';

const pairs = [
  { text: 'Close the editor', answers: ['Cerrar el editor', 'Cierre el editor'] },
  { text: 'Open the editor', answers: ['Abrir el editor'] },
];
const text = PieceText.learn('translate', pairs, 270);

describe('PieceText', () => {
  it('gives back any text, half characters in a piece included', () => {
    for (const each of ['Close the editor', ' ¿Qué? \u{1f40b}\n{0}', '\u0000', 'x'.repeat(5000)])
      expect(text.join(text.tokenise(each))).toBe(each);
    expect(text.tokenise('editor').length).toBeLessThan('editor'.length);
  });

  it('reads the same pieces from what a run stored', () => {
    const again = PieceText.read('translate', JSON.parse(JSON.stringify(text.stored)));
    expect(again.tokenise('Close it')).toEqual(text.tokenise('Close it'));
    expect(again.vocabularies.source.size).toBe(text.vocabularies.source.size);
    expect(() => PieceText.read('translate', {})).toThrow(/readTokenizer/);
  });

  it('shows pieces as text, and leaves marks alone', () => {
    expect(
      text
        .tokenise('the editor')
        .map((symbol) => text.shown(symbol))
        .join(''),
    ).toBe('the editor');
    expect(text.shown('<eos>')).toBe('<eos>');
  });

  it('refuses an empty text, and reads a megabyte without a space in time', { timeout: 30_000 }, () => {
    expect(() => text.tokenise(' \n')).toThrow(UsageError);
    expect(() => text.tokenise('')).toThrow(/translate: expected a text, got an empty one/);
    expect(text.join(text.tokenise('ab'.repeat(500_000)))).toHaveLength(1_000_000);
  });
});
