import { describe, expect, it } from 'vitest';
import { longWord, sentenceSpans, splitWords } from './words.js';

describe('splitWords', () => {
  it('gives words, numbers and runs of one character', () => {
    expect(splitWords("Don't PAY $1,299!!! naïve--é")).toEqual([
      "don't",
      'pay',
      '$',
      '0',
      ',',
      '000',
      '!',
      'naïve',
      '-',
      'é',
    ]);
  });

  it('takes NUL and other control characters for gaps', () => {
    expect(splitWords('a\0b\u0007c\n')).toEqual(['a', 'b', 'c']);
    expect(splitWords('\0\0')).toEqual([]);
    expect(splitWords('')).toEqual([]);
  });

  it('reads a megabyte without a space as one long word', () => {
    expect(splitWords('x'.repeat(2 ** 20))).toEqual([longWord]);
    expect(splitWords('='.repeat(2 ** 20))).toEqual(['=']);
  });
});

describe('sentenceSpans', () => {
  it('ends a sentence at its mark, and the last one at the end', () => {
    expect(sentenceSpans(['a', '.', 'b', 'c', '?', 'd'])).toEqual([
      [0, 2],
      [2, 5],
      [5, 6],
    ]);
    expect(sentenceSpans([])).toEqual([]);
  });
});
