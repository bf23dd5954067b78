import { describe, expect, it } from 'vitest';
import { baselineTable, errorRates, summaryScores, translationScores } from './sequenceScores.js';

describe('scores', () => {
  it('count symbols between spaces, nothing written among them', () => {
    const rates = errorRates('phonemeErrorRate', 'wordErrorRate');
    const all = [
      { predicted: 'K AE T', references: ['K AE T S', 'K AE T'] },
      { predicted: '', references: ['D AO G'] },
    ];
    expect(rates(all)).toEqual({ phonemeErrorRate: 0.5, wordErrorRate: 0.5 });
  });

  it('are perfect for right answers and 0 for nothing', () => {
    const right = [{ predicted: 'Close the open editor', references: ['x', 'Close the open editor'] }];
    const nothing = [{ predicted: '', references: ['Close the open editor'] }];
    expect(translationScores(right).bleu).toBeCloseTo(100, 9);
    expect(translationScores(right).chrf).toBeCloseTo(100, 9);
    expect(summaryScores(right)).toEqual({ rouge1: 1, rouge2: 1, rougeL: 1 });
    expect(translationScores(nothing)).toEqual({ bleu: 0, chrf: 0 });
    expect(summaryScores(nothing)).toEqual({ rouge1: 0, rouge2: 0, rougeL: 0 });
  });
});

describe('baselineTable', () => {
  it('has a line for every baseline and a column for every figure', () => {
    const known = [{ input: 'one two', references: ['one two'] }];
    const copy = { name: 'copy', answer: (input: string) => input };
    const silent = { name: 'silent', answer: () => '' };
    expect(baselineTable([copy, silent], summaryScores, known)).toEqual({
      title: 'Without a model',
      columns: ['baseline', 'rouge1', 'rouge2', 'rougeL'],
      rows: [
        ['copy', 1, 1, 1],
        ['silent', 0, 0, 0],
      ],
    });
  });
});
