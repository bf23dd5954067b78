import { beforeAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../backend/reference/index.js';
import { setBackend, tensor, zeros } from '../../tensor/create.js';
import { attention } from '../attention.js';
import type { Expression } from './expression.js';
import { type ScoreFormula, scoreMod } from './scoreMod.js';

beforeAll(() => setBackend(createReferenceBackend({ precision: 'f64' })));

const slopes = () => tensor([0.5, 0.25], [2]);

describe('a traced program', () => {
  it('prints a line for each instruction', () => {
    const table = slopes();
    const program = scoreMod((score, { h, q, k, lookup }) => score.add(lookup(table, h).multiply(k.subtract(q))));
    expect(String(program)).toBe(
      ['tensor0 f32 [2]', '%0 = tensor0[h]', '%1 = k - q', '%2 = %0 * %1', '%3 = score + %2', 'return %3'].join('\n'),
    );
  });

  it('computes constants once, shares what is equal and leaves out what is unused', () => {
    const program = scoreMod((score, { q, k, constant, where }) => {
      q.multiply(k); // unused
      const two = constant(1).add(1).log().exp().sqrt();
      const near = q.subtract(k).multiply(two).add(q.subtract(k).multiply(two));
      return where(constant(1).less(2), score.add(near).multiply(1).add(0), score.exp());
    });
    const root = Math.fround(Math.sqrt(Math.fround(Math.exp(Math.fround(Math.log(2))))));
    expect(String(program)).toBe(
      ['%0 = q - k', `%1 = %0 * ${root}`, '%2 = %1 + %1', '%3 = score + %2', 'return %3'].join('\n'),
    );
  });

  it('may be the score itself, a constant or a position', () => {
    expect(String(scoreMod((score) => score))).toBe('return score');
    expect(String(scoreMod(() => 3))).toBe('return 3');
    expect(String(scoreMod((_, { k }) => k))).toBe('return k');
  });

  it('writes conditions as numbers', () => {
    const program = scoreMod((score, { b, q, k, where }) =>
      where(k.lessEqual(q).and(k.greater(2).or(b.notEqual(0)).not()), score, -Infinity),
    );
    expect(String(program)).toBe(
      [
        '%0 = k <= q',
        '%1 = 2 < k',
        '%2 = b == 0',
        '%3 = %2 == 0',
        '%4 = maximum(%1, %3)',
        '%5 = %4 == 0',
        '%6 = minimum(%0, %5)',
        '%7 = select(%6, score, -Infinity)',
        'return %7',
      ].join('\n'),
    );
  });

  it('rounds indices down only where they may be fractions', () => {
    const table = zeros([4, 6]);
    const program = scoreMod((score, { h, q, lookup }) => score.add(lookup(table, h, q.divide(2).clamp(0, 5))));
    expect(String(program)).toContain('%3 = floor(%2)\n%4 = tensor0[h, %3]');
  });
});

describe('what cannot be traced', () => {
  const refused: [string, ScoreFormula, RegExp][] = [
    ['a sum', (score) => ((score as unknown as number) + 1) as never, /JavaScript operator \+ or == on score.*a\.add/],
    ['a product', (_, { q }) => ((q as unknown as number) * 2) as never, /operator \(-, \*, .* on q/],
    ['a comparison', (score, { q, k }) => (q < k ? score : 0), /operator .* on q/],
    ['a function of Math', (score) => Math.exp(score as unknown as number), /function of Math on score; .*a\.exp/],
    [
      'an index',
      (_, { k }) => [1, 2][k as unknown as number] as number,
      /property key on k; .*lookup\(tensor, index\)/,
    ],
    ['a choice by if', (score, { q, k }) => (k.less(q) ? score : 0), /condition to be used, got k < q unused.*where/],
    ['&&', (score, { q, k, where }) => where((k.less(q) && k.less(3)) as never, score, 0), /got k < q unused/],
    ['nothing returned', (() => undefined) as never, /got undefined; is return missing/],
    ['a promise', (async (score: Expression) => score) as never, /got a promise; drop async/],
    [
      'a condition returned',
      ((_: Expression, { q, k }: { q: Expression; k: Expression }) => q.less(k)) as never,
      /got the condition q < k; where/,
    ],
    ['a tensor as operand', (score) => score.add(slopes() as never), /got a tensor; lookup/],
    [
      'an expression as condition',
      (score, { q, where }) => where(q as never, score, 0),
      /condition such as .*got the expression q/,
    ],
    ['too few indices', (score, { lookup }) => score.add(lookup(slopes())), /one index for each axis of \[2\], got 0/],
  ];
  it.each(refused)('%s', (_, formula, message) => {
    expect(() => scoreMod(formula)).toThrow(message);
  });

  it('an unknown function is named', () => {
    expect(() => scoreMod((score) => (score as unknown as { sin(): Expression }).sin())).toThrow(
      /sin is not a function/,
    );
  });

  it('a function with side effects', () => {
    let calls = 0;
    expect(() => scoreMod((score) => score.add(calls++))).toThrow(
      /without side effects, got two programs[\s\S]*score \+ 1/,
    );
    expect(() => scoreMod((score, { h, lookup }) => score.add(lookup(slopes(), h)))).toThrow(/tensors made outside/);
  });

  it('an expression of another call', () => {
    let kept: Expression | undefined;
    expect(() =>
      scoreMod((score) => {
        kept ??= score;
        return kept;
      }),
    ).toThrow(/expressions of this call/);
    expect(() => kept?.add(1)).toThrow(/keep none outside/);
  });

  it('a program that is too long', () => {
    const long: ScoreFormula = (score) => Array.from({ length: 300 }).reduce<Expression>((x) => x.exp(), score);
    expect(() => scoreMod(long)).toThrow(/at most 256 instructions, got 301/);
  });
});

describe('indices are checked when attention is called', () => {
  const call = (formula: ScoreFormula, offset = 0) => {
    const [q, k] = [zeros([1, 2, 3, 4]), zeros([1, 2, 5, 4])];
    return attention(q, k, k, { scoreMod: scoreMod(formula), offset });
  };
  const table = () => zeros([5]);

  it('positions inside a table pass', () => {
    const [five, seven] = [table(), zeros([7])];
    expect(() => call((score, { k, lookup }) => score.add(lookup(five, k)))).not.toThrow();
    expect(() => call((score, { q, k, lookup }) => score.add(lookup(seven, q.subtract(k).add(4))))).not.toThrow();
    expect(() => call((score, { q, lookup }) => score.add(lookup(five, q)), 2)).not.toThrow();
  });

  it('positions past its end are named', () => {
    const five = table();
    expect(() => call((score, { q, lookup }) => score.add(lookup(five, q)), 3)).toThrow(
      'scoreMod: expected index 0 of tensor0 [5] in [0, 5), got q in [3, 5]; .clamp(0, 4) holds it inside',
    );
    expect(() => call((score, { q, k, lookup }) => score.add(lookup(five, q.subtract(k))))).toThrow(
      /got q - k in \[-4, 2\]/,
    );
    expect(() => call((score, { lookup }) => score.add(lookup(five, 5)))).toThrow(/got 5 in \[5, 5\]/);
    expect(() => call((score, { lookup }) => lookup(five, score))).toThrow(/got floor\(score\)/);
    expect(() => call((score, { lookup }) => lookup(five, score.clamp(0, 4)))).not.toThrow();
  });

  it('anything but a traced program is refused', () => {
    const x = zeros([1, 1, 1, 1]);
    expect(() => attention(x, x, x, { scoreMod: ((score: Expression) => score) as never })).toThrow(
      /expected scoreMod: scoreMod\(function\), got a function/,
    );
  });
});
