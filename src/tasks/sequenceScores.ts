/** What a sequence task is judged by: scores of written texts against right ones, of a model and of baselines alike. */

import { Bleu } from '../metrics/bleu.js';
import { Chrf } from '../metrics/chrf.js';
import { EditDistanceRate } from '../metrics/editDistanceRate.js';
import { Rouge } from '../metrics/rouge.js';
import type { FigureTable } from './task.js';

/** What was written, and all right answers. */
export interface Scored {
  readonly predicted: string;
  readonly references: readonly string[];
}

/** Figures by name. */
export type Score = (all: readonly Scored[]) => Record<string, number>;

/** An answer that needs no model: what a trained one has to be better than. */
export interface Baseline {
  readonly name: string;
  answer(input: string): string;
}

/** Error rates per symbol and per sequence against the closest right answer; symbols stand between spaces. */
export function errorRates(symbolRate: string, sequenceRate: string): Score {
  const symbols = (text: string): string[] => text.split(' ').filter((symbol) => symbol !== '');
  return (all) => {
    const rate = new EditDistanceRate();
    for (const { predicted, references } of all) rate.add(symbols(predicted), references.map(symbols));
    return { [symbolRate]: rate.symbolErrorRate, [sequenceRate]: rate.sequenceErrorRate };
  };
}

/** BLEU and chrF of the whole, in [0, 100]. */
export function translationScores(all: readonly Scored[]): Record<string, number> {
  const [bleu, chrf] = [new Bleu(), new Chrf()];
  for (const { predicted, references } of all) {
    bleu.add(predicted, references);
    chrf.add(predicted, references);
  }
  return { bleu: bleu.value, chrf: chrf.value };
}

/** F1 of ROUGE-1, ROUGE-2 and ROUGE-L, means over the texts, in [0, 1]. */
export function summaryScores(all: readonly Scored[]): Record<string, number> {
  const rouge = new Rouge();
  for (const { predicted, references } of all) rouge.add(predicted, references);
  const { rouge1, rouge2, rougeL } = rouge.scores;
  return { rouge1: rouge1.f1, rouge2: rouge2.f1, rougeL: rougeL.f1 };
}

/** The scores of baselines on the inputs that the model is judged by. */
export function baselineTable(
  baselines: readonly Baseline[],
  score: Score,
  known: readonly { readonly input: string; readonly references: readonly string[] }[],
): FigureTable {
  const scores = baselines.map(({ name, answer }) => ({
    name,
    figures: score(known.map(({ input, references }) => ({ predicted: answer(input), references }))),
  }));
  const columns = Object.keys(scores[0]?.figures ?? {});
  return {
    title: 'Without a model',
    columns: ['baseline', ...columns],
    rows: scores.map(({ name, figures }) => [name, ...columns.map((column) => figures[column] ?? Number.NaN)]),
  };
}
