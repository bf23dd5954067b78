/**
 * Metrics equal scikit-learn's, sacreBLEU's and rouge-score's on fixed tables. The tables and what those packages say
 * are in golden.json, written by golden.py with the versions and the seed that it names.
 */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ShapeError, StateError } from '../../src/core/errors.js';
import { Accuracy } from '../../src/metrics/accuracy.js';
import { Bleu } from '../../src/metrics/bleu.js';
import { CalibrationError } from '../../src/metrics/calibrationError.js';
import { Chrf } from '../../src/metrics/chrf.js';
import { Classification, type ClassScores } from '../../src/metrics/classification.js';
import { LanguageModelScore } from '../../src/metrics/languageModelScore.js';
import { RocAuc } from '../../src/metrics/rocAuc.js';
import { Rouge, type RougeScores } from '../../src/metrics/rouge.js';
import { tokenize13a } from '../../src/metrics/tokenize13a.js';

interface Texts {
  readonly pairs: readonly (readonly [predicted: string, references: readonly string[]])[];
  readonly tokens: readonly string[];
  readonly bleu: number;
  readonly bleuLowercase: number;
  readonly chrf: number;
  readonly chrfPlusPlus: number;
  readonly rouge: RougeScores;
}

interface Golden {
  readonly classification: {
    readonly classes: number;
    readonly expected: readonly number[];
    readonly predicted: readonly number[];
    readonly accuracy: number;
    readonly averages: Readonly<Record<'micro' | 'macro' | 'weighted', ClassScores>>;
    readonly perClass: readonly ClassScores[];
  };
  readonly probabilities: {
    readonly labels: readonly number[];
    readonly scores: readonly number[];
    readonly rocAuc: number;
    readonly bins: number;
    readonly calibrationError: number;
  };
  readonly languageModel: Readonly<Record<'characters' | 'loss' | 'perplexity' | 'bitsPerCharacter', number>> & {
    readonly losses: readonly number[];
  };
  readonly texts: Readonly<Record<string, Texts>>;
}

const golden: Golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8'));

/** Two sums of a few hundred terms in another order differ by this at most. */
const rounding = 1e-12;

function expectScores(found: ClassScores, expected: ClassScores): void {
  for (const key of ['precision', 'recall', 'f1'] as const)
    expect(Math.abs(found[key] - expected[key]), key).toBeLessThan(rounding);
}

/** Calls `add` with parts of both lists, as batches come. */
function inBatches<A, B>(a: readonly A[], b: readonly B[], add: (a: readonly A[], b: readonly B[]) => void): void {
  for (let start = 0; start < a.length; start += 37) add(a.slice(start, start + 37), b.slice(start, start + 37));
}

describe('scikit-learn', () => {
  test('accuracy, precision, recall and F1: micro, macro, weighted and by class', () => {
    const { classes, expected, predicted, accuracy, averages, perClass } = golden.classification;
    const [counts, share] = [new Classification(classes), new Accuracy()];
    inBatches(predicted, expected, (a, b) => {
      counts.add(a, b);
      share.add(a, b);
    });
    expect(share.value).toBe(accuracy);
    for (const average of ['micro', 'macro', 'weighted'] as const) expectScores(counts[average](), averages[average]);
    for (const [label, scores] of perClass.entries()) expectScores(counts.scores(label), scores);
  });

  test('area under the ROC curve, with ties; binned it stays within the error it states', () => {
    const { scores, labels, rocAuc } = golden.probabilities;
    const [exact, binned] = [new RocAuc(), new RocAuc({ exactPairs: 100, bins: 16 })];
    inBatches(scores, labels, (a, b) => {
      exact.add(a, b);
      binned.add(a, b);
    });
    expect(Math.abs(exact.value - rocAuc)).toBeLessThan(rounding);
    expect(exact.error).toBe(0);
    expect(binned.error).toBeGreaterThan(0);
    expect(Math.abs(binned.value - rocAuc)).toBeLessThanOrEqual(binned.error);
  });

  test('calibration error from the bins of calibration_curve', () => {
    const { scores, labels, bins, calibrationError } = golden.probabilities;
    const error = new CalibrationError({ bins });
    inBatches(scores, labels, (a, b) => error.add(a, b));
    expect(Math.abs(error.value - calibrationError)).toBeLessThan(rounding);
  });

  test('cross-entropy, perplexity, bits per character', () => {
    const { losses, characters, loss, perplexity, bitsPerCharacter } = golden.languageModel;
    const score = new LanguageModelScore();
    for (const [index, nats] of losses.entries()) score.add(nats, 1, index === 0 ? characters : 0);
    expect(Math.abs(score.lossNats - loss)).toBeLessThan(rounding);
    expect(Math.abs(score.perplexity - perplexity)).toBeLessThan(rounding);
    expect(Math.abs(score.bitsPerCharacter - bitsPerCharacter)).toBeLessThan(rounding);
  });
});

describe.each(Object.entries(golden.texts))('%s', (_, { pairs, tokens, rouge, ...expected }) => {
  const scored = <Metric extends { add(predicted: string, references: readonly string[]): void }>(
    metric: Metric,
  ): Metric => {
    for (const [predicted, references] of pairs) metric.add(predicted, references);
    return metric;
  };

  test('sacreBLEU: tokens 13a', () => {
    expect(pairs.map(([predicted]) => tokenize13a(predicted).join(' '))).toEqual(tokens);
  });

  test('sacreBLEU: BLEU, chrF and chrF++', () => {
    expect(scored(new Bleu()).value).toBeCloseTo(expected.bleu, 10);
    expect(scored(new Bleu({ lowercase: true })).value).toBeCloseTo(expected.bleuLowercase, 10);
    expect(scored(new Chrf()).value).toBeCloseTo(expected.chrf, 10);
    expect(scored(new Chrf({ wordOrder: 2 })).value).toBeCloseTo(expected.chrfPlusPlus, 10);
  });

  test('rouge-score', () => {
    const { scores } = scored(new Rouge());
    for (const kind of ['rouge1', 'rouge2', 'rougeL'] as const) expectScores(scores[kind], rouge[kind]);
  });
});

describe('a binned ROC area', () => {
  test('is never further from the exact one than it says', () => {
    const pair = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1));
    fc.assert(
      fc.property(fc.array(pair, { minLength: 2, maxLength: 60 }), fc.integer({ min: 1, max: 40 }), (pairs, bins) => {
        const [exact, binned] = [new RocAuc(), new RocAuc({ exactPairs: 0, bins })];
        for (const metric of [exact, binned]) for (const [score, label] of pairs) metric.add([score], [label]);
        if (Number.isNaN(exact.value)) expect(binned.value).toBeNaN();
        else expect(Math.abs(binned.value - exact.value)).toBeLessThanOrEqual(binned.error + rounding);
      }),
    );
  });
});

describe('wrong use', () => {
  test('nothing yet is NaN', () => {
    const { rouge1 } = new Rouge().scores;
    const values = [new Bleu(), new Chrf(), new RocAuc(), new CalibrationError()].map(({ value }) => value);
    for (const value of [...values, rouge1.f1, new LanguageModelScore().perplexity]) expect(value).toBeNaN();
  });

  test('no reference, unequal numbers, values out of range', () => {
    for (const metric of [new Bleu(), new Chrf(), new Rouge()]) expect(() => metric.add('a', [])).toThrow(StateError);
    expect(() => new RocAuc().add([0.5], [])).toThrow(ShapeError);
    expect(() => new CalibrationError().add([0.5], [])).toThrow(ShapeError);
    for (const score of [-0.1, 1.1, Number.NaN]) {
      expect(() => new RocAuc().add([score], [1])).toThrow(/probabilities, not logits/);
      expect(() => new CalibrationError().add([score], [1])).toThrow(StateError);
    }
    expect(() => new RocAuc().add([0.5], [2])).toThrow(StateError);
  });
});
