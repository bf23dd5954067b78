/** Rules on the size of logits and on numbers that are none: growth with its predicted end, NaN. */

import type { DoctorRecords, HeadRecord } from '../records.js';
import { passed, type Rule, type Sighting, type Threshold } from '../rule.js';
import { firstOfEach, seriesOf } from '../series.js';
import { sighting } from './entropy.js';

const limits: readonly Threshold[] = [
  { severity: 'warning', value: 50, origin: 'our default' },
  { severity: 'error', value: 100, origin: 'published' }, // τ of QK-Clip in Kimi K2
  { severity: 'critical', value: 1e3, origin: 'our default' },
];
/** Runs whose logits come near this diverge (Dehghani et al. 2023, §2). */
const divergence = 1e4;

export const logitGrowth: Rule = {
  name: 'logit-growth',
  measures: 'largest logit of a head; the slope of its logarithm over steps predicts where it reaches 1e4',
  source: 'Dehghani et al. 2023; Wortsman et al. 2023; τ = 100 of QK-Clip: Kimi K2, 2025',
  thresholds: limits,
  cause: 'queries and keys grow without bound: rate too high, no weight decay, or a scale that is missing',
  remedy: 'QK-norm, softcap, QK-Clip, weight decay, a lower rate; check that the scale is 1/√D',
  stops: true,
  find: (records) => seriesOf(records).flatMap(growthOf),
};

function growthOf(series: readonly HeadRecord[]): Sighting[] {
  const last = series.at(-1);
  const threshold = last && passed(limits, last.logitMax, 'above');
  if (!last || !threshold) return [];
  return [sighting(last, last.logitMax, threshold, prognosis(series, last))];
}

function prognosis(series: readonly HeadRecord[], last: HeadRecord): string {
  const step = predictDivergence(series);
  if (last.logitMax >= divergence) return 'already where runs diverge';
  return step === undefined ? 'not growing over the steps seen' : `at this growth it reaches 1e4 at step ${step}`;
}

/** Records that the slope is fitted to: the latest, because growth changes over training. */
const fitted = 10;

/**
 * Step at which the largest logit reaches 1e4, from a straight line through the logarithm of the last ten records by
 * least squares. Undefined with fewer than three records or without growth.
 */
export function predictDivergence(
  series: readonly Pick<HeadRecord, 'step' | 'logitMax'>[],
  limit = divergence,
): number | undefined {
  const points = series.filter(({ logitMax }) => logitMax > 0 && Number.isFinite(logitMax)).slice(-fitted);
  const last = points.at(-1);
  if (!last || points.length < 3) return undefined;
  const slope = slopeOf(points.map(({ step, logitMax }) => [step, Math.log(logitMax)]));
  return slope > 0 ? Math.ceil(last.step + Math.log(limit / last.logitMax) / slope) : undefined;
}

function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (axis: 0 | 1): number => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [middleX, middleY] = [mean(0), mean(1)];
  const covariance = points.reduce((sum, [x, y]) => sum + (x - middleX) * (y - middleY), 0);
  return covariance / points.reduce((sum, [x]) => sum + (x - middleX) ** 2, 0);
}

const anyBad: Threshold = { severity: 'critical', value: 0, origin: 'our default' };

export const notANumber: Rule = {
  name: 'nan',
  measures: 'values that are NaN or infinite, in q, k, v, the scores, the output of a head or of a block',
  source: 'our default',
  thresholds: [anyBad],
  cause: 'the numbers overflowed, or a weight or input is not a number; the first module and step are named',
  remedy: 'go back to the last good checkpoint; lower the rate, clip gradients, look at the inputs of this module',
  stops: true,
  find: (records) => firstBad(records),
};

/** The first place: what comes after it has it from there. Blocks come after the heads inside them. */
function firstBad(records: DoctorRecords): Sighting[] {
  const heads = firstOfEach(records, isBad).map((head) => {
    const count = head.nonFinite || 1;
    const what = head.nonFinite ? `${head.nonFinite} values of q, k, v and out` : 'its statistics';
    return sighting(head, count, anyBad, `${what} are not finite`);
  });
  const blocks = (records.blocks ?? []).filter(({ nonFinite }) => nonFinite > 0);
  const others = blocks.map(({ path, step, nonFinite }) => {
    return { path, step, measured: nonFinite, threshold: anyBad, evidence: `${nonFinite} values are not finite` };
  });
  const first = [...heads, ...others].reduce<Sighting | undefined>(
    (a, b) => (a && a.step <= b.step ? a : b),
    undefined,
  );
  return first ? [first] : [];
}

/** With rows counted, a mean can only be NaN when a row was. */
function isBad(head: HeadRecord): boolean {
  const numbers = [head.entropyNats, head.pMax, head.meanDistance, head.logitMax];
  return (head.nonFinite ?? 0) > 0 || (head.rows > 0 && !numbers.every(Number.isFinite));
}
