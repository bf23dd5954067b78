import { describe, expect, test } from 'vitest';
import { FormatError } from '../core/errors.js';
import { Vocabulary } from './vocabulary.js';

const letters = Vocabulary.from(['banana', 'cab']);

test('ids: special tokens first, then symbols in a fixed order', () => {
  expect(Array.from({ length: letters.size }, (_, id) => letters.symbol(id))).toEqual([
    '<pad>',
    '<bos>',
    '<eos>',
    'a',
    'b',
    'c',
    'n',
  ]);
  expect(Vocabulary.from(['cab', 'banana']).toJSON()).toEqual(letters.toJSON());
});

test('encode and decode are inverse, with and without frame', () => {
  expect(letters.encode('cab')).toEqual([5, 3, 4]);
  expect(letters.encode('cab', { bos: true, eos: true })).toEqual([1, 5, 3, 4, 2]);
  expect(letters.decode([1, 5, 3, 4, 2, 3, 0, 0]).join('')).toBe('cab');
  expect(letters.decode(letters.encode(''))).toEqual([]);
});

test('symbols longer than a character, and names that objects inherit', () => {
  const phonemes = new Vocabulary(['HH', 'constructor', '__proto__']);
  expect(phonemes.encode(['__proto__', 'HH', 'constructor'])).toEqual([5, 3, 4]);
  expect(phonemes.has('toString')).toBe(false);
});

test('unknown symbols: an error that names symbol and position, or <unk>', () => {
  expect(() => letters.encode('caxb')).toThrow(FormatError);
  expect(() => letters.encode('caxb')).toThrow(/"x" at position 2/);
  const open = Vocabulary.from(['ab'], { unknown: true });
  expect([open.unknown, open.encode('axb')]).toEqual([3, [4, 3, 5]]);
  expect(open.decode([4, 3])).toEqual(['a', '<unk>']);
});

test('ids out of range are errors', () => {
  for (const id of [-1, letters.size, 0.5, Number.NaN]) expect(() => letters.decode([id])).toThrow(FormatError);
});

describe('JSON', () => {
  test.each([false, true])('comes back the same (unknown: %s)', (unknown) => {
    const vocabulary = Vocabulary.from(['keyhole'], { unknown });
    const copy = Vocabulary.fromJSON(JSON.parse(JSON.stringify(vocabulary)));
    expect(copy.toJSON()).toEqual(vocabulary.toJSON());
    expect(copy.encode('hole')).toEqual(vocabulary.encode('hole'));
  });

  const good = { format: 1, unknown: false, symbols: ['a'] };
  test.each([
    null,
    [],
    'text',
    { ...good, format: 2 },
    { ...good, unknown: 1 },
    { ...good, symbols: 'abc' },
    { ...good, symbols: ['a', 1] },
    { ...good, symbols: ['a', 'a'] },
    { ...good, symbols: [''] },
    { ...good, symbols: ['<pad>'] },
    { ...good, extra: 0 },
  ])('refuses %j', (value) => {
    expect(() => Vocabulary.fromJSON(value)).toThrow(FormatError);
  });
});
