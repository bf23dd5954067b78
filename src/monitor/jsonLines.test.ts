import { describe, expect, test } from 'vitest';
import { FormatError } from '../core/errors.js';
import { decodeNumber, encodeNumber, parseLines, truncateAfterStep } from './jsonLines.js';

const read = (raw: Readonly<Record<string, unknown>>): unknown => raw.step;

test('every number comes back through JSON', () => {
  for (const value of [0, 1.5, 1e-300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    expect(decodeNumber(JSON.parse(JSON.stringify(encodeNumber(value))))).toBe(value);
  }
  for (const value of ['1', 'nan', 'toString', null, undefined, true]) expect(decodeNumber(value)).toBeUndefined();
});

describe('parseLines', () => {
  test('empty and whole files', () => {
    expect(parseLines('', 'f', read)).toEqual({ entries: [], unfinished: 0 });
    expect(parseLines('{"step":1}\n{"step":2}\n', 'f', read)).toEqual({ entries: [1, 2], unfinished: 0 });
  });

  test('a last line without its end is left out and counted, even if it looks whole', () => {
    for (const last of ['{"st', '{"step":2}', '{']) {
      expect(parseLines(`{"step":1}\n${last}`, 'f', read)).toEqual({ entries: [1], unfinished: 1 });
    }
  });

  test.each(['', '{"st', '[]', 'null', '7', '{"other":1}', '{"step":1}{"step":2}'])('line %j is damage', (line) => {
    const text = `{"step":1}\n${line}\n{"step":3}\n`;
    expect(() => parseLines(text, 'metrics.jsonl', read)).toThrow(FormatError);
    expect(() => parseLines(text, 'metrics.jsonl', read)).toThrow(/^metrics\.jsonl: .*line 2/);
  });

  test('a damaged line of a megabyte gives a short error', () => {
    expect(() => parseLines(`${'x'.repeat(1e6)}\n`, 'f', read)).toThrow(/^.{0,200}$/);
  });
});

describe('truncateAfterStep', () => {
  const text = '{"step":1,"v":1.0}\n{"step": 2}\n{"step":10}\n{"step":2}\n{"st';

  test('keeps the bytes of lines up to the step', () => {
    expect(truncateAfterStep(text, 2)).toBe('{"step":1,"v":1.0}\n{"step": 2}\n{"step":2}\n');
    expect(truncateAfterStep(text, 0)).toBe('');
    expect(truncateAfterStep(text, 99)).toBe(text.slice(0, -4));
    expect(truncateAfterStep('', 5)).toBe('');
  });

  test('a damaged line is an error, not a loss', () => {
    expect(() => truncateAfterStep('{"step":1}\nrubbish\n', 1)).toThrow(FormatError);
    expect(() => truncateAfterStep('{"step":"1"}\n', 1)).toThrow(FormatError);
  });
});
