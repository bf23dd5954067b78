import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UsageError } from '../core/errors.js';
import { judgeCondition, parseCondition } from './kpiCondition.js';

describe('parseCondition', () => {
  test.each([
    ['validation/loss > baseline + 0.02', '>', 1, 0.02],
    ['validation/loss>baseline-2e-3', '>', 1, -0.002],
    ['validation/loss >= 1.05 * baseline', '>=', 1.05, 0],
    ['validation/loss < baseline×0.98', '<', 0.98, 0],
    ['validation/loss <= baseline', '<=', 1, 0],
    ['  validation/loss > 2.5 ', '>', 0, 2.5],
    ['validation/loss > -.5', '>', 0, -0.5],
    ['validation/loss > baseline + -1', '>', 1, -1],
  ])('%s', (text, comparison, factor, offset) => {
    expect(parseCondition(text)).toEqual({ text, name: 'validation/loss', comparison, factor, offset });
  });

  test.each([
    ['', 'got nothing more'],
    ['validation/loss', 'expected <, <=, > or >=, got nothing more'],
    ['loss > 1', 'expected a figure such as validation/loss, got "loss"'],
    ['validation/loss = 1', 'got "= 1"'],
    ['validation/loss => 1', 'got "=> 1"'],
    ['validation/loss >', 'expected a number or baseline, got nothing more'],
    ['validation/loss > basline', 'expected a number or baseline, got "basline"'],
    ['validation/loss > baseline +', 'expected a number, got nothing more'],
    ['validation/loss > baseline / 2', 'got "/ 2"'],
    ['validation/loss > baseline + 1 + 1', 'expected the end, got "+"'],
    ['validation/loss > 2 baseline', 'expected the end, got "baseline"'],
    ['validation/loss > 2 * 3', 'expected baseline, got "3"'],
    ['validation/loss > 1; rm -rf', 'got "; rm -rf"'],
    ['validation/loss > 0.02 %', 'got "%"'],
  ])('%j is refused', (text, message) => {
    expect(() => parseCondition(text)).toThrow(UsageError);
    expect(() => parseCondition(text)).toThrow(message);
  });

  test('any text is read or refused, never anything else', () => {
    const pieces = fc.constantFrom('validation/loss', 'baseline', '>', '<=', '+', '-', '*', '1.5', ' ', '/', 'x', '\n');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 8 }), (parts) => {
        try {
          expect(parseCondition(parts.join('')).name).not.toBe('');
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError);
        }
      }),
    );
  });
});

describe('judgeCondition', () => {
  const worse = parseCondition('validation/loss > baseline + 0.02');

  test('compares with the bound', () => {
    expect(judgeCondition(worse, 1.03, 1)).toEqual({ holds: true, bound: 1.02 });
    expect(judgeCondition(worse, 1.02, 1)).toEqual({ holds: false, bound: 1.02 });
    expect(judgeCondition(parseCondition('validation/f1 < 0.9'), 0.8, undefined)).toEqual({ holds: true, bound: 0.9 });
    expect(judgeCondition(parseCondition('validation/f1 <= 2 * baseline'), 2, 1)).toEqual({ holds: true, bound: 2 });
    expect(judgeCondition(parseCondition('validation/f1 >= 0.9'), 0.8, Number.NaN)).toEqual({
      holds: false,
      bound: 0.9,
    });
  });

  test('what is no number never passes', () => {
    for (const [value, baseline] of [
      [Number.NaN, 1],
      [1, Number.NaN],
      [undefined, 1],
      [1, undefined],
    ] as const) {
      for (const text of ['validation/loss > baseline + 9', 'validation/loss < baseline - 9']) {
        expect(judgeCondition(parseCondition(text), value, baseline)).toMatchObject({
          holds: true,
          reason: expect.any(String),
        });
      }
    }
    expect(judgeCondition(worse, Number.POSITIVE_INFINITY, 1)).toEqual({ holds: true, bound: 1.02 });
  });
});
