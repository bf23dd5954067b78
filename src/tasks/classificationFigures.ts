/** What a classifier's probabilities are worth: the usual figures, and tables of where it errs. */

import { CalibrationError } from '../metrics/calibrationError.js';
import { Classification } from '../metrics/classification.js';
import { RocAuc } from '../metrics/rocAuc.js';
import type { LabelledText } from './classificationData.js';
import type { FigureTable } from './task.js';

/** A class that was expected, and the probability given to each class. */
export interface Judged {
  readonly target: number;
  readonly probabilities: ArrayLike<number>;
}

/** The most probable class. */
export function bestOf(probabilities: ArrayLike<number>): number {
  return Array.from(probabilities).reduce((best, p, at, all) => (p > (all[best] as number) ? at : best), 0);
}

/**
 * Accuracy, precision, recall, F1, area under the ROC curve, calibration error and mean loss in nats. Of two classes,
 * precision, recall, F1 and area are those of the second; of more, means over the classes.
 */
export function classFigures(judged: readonly Judged[], classes: number): Record<string, number> {
  const scores = new Classification(classes);
  const calibration = new CalibrationError();
  let [right, loss] = [0, 0];
  for (const { target, probabilities } of judged) {
    const best = bestOf(probabilities);
    scores.add([best], [target]);
    calibration.add([Math.min(1, probabilities[best] as number)], [Number(best === target)]);
    right += Number(best === target);
    loss -= Math.log(Math.max(probabilities[target] as number, Number.MIN_VALUE));
  }
  return {
    loss: loss / judged.length,
    accuracy: right / judged.length,
    ...(classes === 2 ? scores.scores(1) : scores.macro()),
    rocAuc: rocAreaOf(judged, classes),
    calibrationError: calibration.value,
  };
}

/** Area of the second of two classes; of more, the mean of each class against the rest, where it has texts. */
function rocAreaOf(judged: readonly Judged[], classes: number): number {
  const asked = classes === 2 ? [1] : Array.from({ length: classes }, (_, label) => label);
  const areas = asked.map((label) => {
    const area = new RocAuc();
    for (const { target, probabilities } of judged)
      area.add([Math.min(1, probabilities[label] as number)], [Number(target === label)]);
    return area.value;
  });
  const known = areas.filter(Number.isFinite);
  return known.reduce((sum, area) => sum + area, 0) / known.length;
}

/** Counts by what was expected (rows) and what was said (columns). */
export function confusionTable(judged: readonly Judged[], labels: readonly string[]): FigureTable {
  const counts = labels.map(() => labels.map(() => 0));
  for (const { target, probabilities } of judged) {
    const row = counts[target] as number[];
    const said = bestOf(probabilities);
    row[said] = (row[said] as number) + 1;
  }
  return {
    title: 'Expected (down) and said (across)',
    columns: ['class', ...labels],
    rows: counts.map((row, index) => [labels[index] as string, ...row]),
  };
}

/** Accuracy for every value of every key that texts are grouped by; one table a key, values in their order. */
export function groupTables(examples: readonly LabelledText[], judged: readonly Judged[]): FigureTable[] {
  const keys = [...new Set(examples.flatMap(({ groups = {} }) => Object.keys(groups)))];
  return keys.map((key) => {
    const values = new Map<string | number, { right: number; all: number }>();
    for (const [index, { groups }] of examples.entries()) {
      const value = groups?.[key];
      const { target, probabilities } = judged[index] as Judged;
      if (value === undefined) continue;
      const { right, all } = values.get(value) ?? { right: 0, all: 0 };
      values.set(value, { right: right + Number(bestOf(probabilities) === target), all: all + 1 });
    }
    const sorted = [...values].sort(([a], [b]) => Number(a) - Number(b) || (a < b ? -1 : 1));
    const rows = sorted.map(([value, { right, all }]) => [value, right / all, all]);
    return { title: `Accuracy by ${key}`, columns: [key, 'accuracy', 'texts'], rows };
  });
}
