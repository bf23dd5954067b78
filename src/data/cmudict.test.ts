import { afterEach, describe, expect, test, vi } from 'vitest';
import { FormatError, StateError } from '../core/errors.js';
import { loadCmuDictionary, parseDictionary, phonemes } from './cmudict.js';
import { splitBy } from './split.js';

const table = {
  read: 'R EH1 D',
  'read(2)': 'R IY1 D',
  aalborg: 'AO1 L B AO0 R G # place, danish',
  record: 'R AH0 K AO1 R D',
  'record(2)': 'R AH1 K AO0 R D',
  constructor: 'K AH0 N',
  café: 'K AE0 F EY1',
  odd: 'AA1 XX D',
  empty: '',
  number: 3,
};

describe('parseDictionary', () => {
  test('groups variants, removes stress and comments, merges what becomes alike', () => {
    const { entries, lines, merged } = parseDictionary(table);
    expect(entries).toEqual([
      {
        word: 'read',
        variants: [
          ['R', 'EH', 'D'],
          ['R', 'IY', 'D'],
        ],
      },
      { word: 'aalborg', variants: [['AO', 'L', 'B', 'AO', 'R', 'G']] },
      { word: 'record', variants: [['R', 'AH', 'K', 'AO', 'R', 'D']] },
      { word: 'constructor', variants: [['K', 'AH', 'N']] },
    ]);
    expect([lines, merged]).toEqual([10, 1]);
  });

  test('keeps stress when asked', () => {
    const { entries, merged } = parseDictionary(table, { keepStress: true });
    expect(entries[2]?.variants).toEqual([
      ['R', 'AH0', 'K', 'AO1', 'R', 'D'],
      ['R', 'AH1', 'K', 'AO0', 'R', 'D'],
    ]);
    expect(merged).toBe(0);
  });

  test('reports what it cannot read', () => {
    const { rejected } = parseDictionary(table);
    expect(rejected.map(({ key }) => key)).toEqual(['café', 'odd', 'empty', 'number']);
    expect(rejected[1]?.reason).toBe('unknown phoneme "XX"');
  });

  test('refuses what is not a table', () => {
    for (const value of [undefined, null, 'text']) expect(() => parseDictionary(value)).toThrow(FormatError);
  });
});

describe('loadCmuDictionary', () => {
  afterEach(() => vi.doUnmock('cmu-pronouncing-dictionary'));

  test('the real data: nothing lost, 39 phonemes, no word on two sides', async () => {
    const { entries, lines, merged, rejected } = await loadCmuDictionary();
    const variants = entries.flatMap((entry) => entry.variants);
    expect(variants.length + merged + rejected.length).toBe(lines);
    expect(rejected).toEqual([]);
    expect(entries.length).toBeGreaterThan(120_000);
    expect([...new Set(variants.flat())].sort()).toEqual(phonemes);

    const parts = Object.values(splitBy(entries, ({ word }) => word)).map((part) => part.map(({ word }) => word));
    expect(new Set(parts.flat()).size).toBe(parts.flat().length);
    for (const part of parts) expect(part.every((word) => !word.includes('('))).toBe(true);
  });

  test('a missing package: an error with the command that installs it', async () => {
    vi.doMock('cmu-pronouncing-dictionary', () => {
      throw new Error('Cannot find package');
    });
    await expect(loadCmuDictionary()).rejects.toThrow(StateError);
    await expect(loadCmuDictionary()).rejects.toThrow(/npm i cmu-pronouncing-dictionary$/);
  });
});
