/**
 * What the health board shows, as numbers: every statistic of every layer and head at every logged step, and the findings
 * of the doctor at their places. Drawn by healthBoard.ts.
 */

import type { Finding } from '../core/finding.js';
import { groupBy } from './pictureGroup.js';
import { placeOf } from './place.js';

/** Statistics of a head that a board can show, in the order of its list; a ratio is drawn on the scale 0 to 1. */
export const healthStatistics = [
  { key: 'entropyRatio', name: 'normalised entropy', ratio: true },
  { key: 'logitMax', name: 'largest logit', ratio: false },
  { key: 'saturatedRatio', name: 'saturated rows', ratio: true },
  { key: 'pMax', name: 'largest weight', ratio: true },
  { key: 'firstMass', name: 'mass on the first key', ratio: true },
  { key: 'selfMass', name: 'mass on the own token', ratio: true },
  { key: 'previousMass', name: 'mass on the previous token', ratio: true },
  { key: 'nextMass', name: 'mass on the next token', ratio: true },
  { key: 'meanDistance', name: 'mean distance in tokens', ratio: false },
  { key: 'futureMass', name: 'mass on later keys', ratio: true },
  { key: 'paddingMass', name: 'mass on padding', ratio: true },
  { key: 'maskedRows', name: 'fully masked rows', ratio: false },
  { key: 'zeroRatio', name: 'weights below 1e-6', ratio: true },
  { key: 'ignoredRatio', name: 'ignored keys', ratio: true },
  { key: 'outputRatio', name: 'size of the output, relative to the layer', ratio: false },
  { key: 'nonFinite', name: 'values that are not finite', ratio: false },
] as const;

export type HealthStatistic = (typeof healthStatistics)[number]['key'];

/** One head at one step, as attention.jsonl or an examined checkpoint has it; null and NaN leave a gap. */
export interface HealthPoint extends Readonly<Partial<Record<HealthStatistic, number | null>>> {
  readonly step: number;
  /** Module path. */
  readonly path: string;
  readonly head: number;
}

/** The statistic in which a rule of the doctor can be seen. */
const statisticOfRule: Readonly<Record<string, HealthStatistic>> = {
  'entropy-collapse': 'entropyRatio',
  'uniform-head': 'entropyRatio',
  'logit-growth': 'logitMax',
  'saturated-softmax': 'saturatedRatio',
  'attention-sink': 'firstMass',
  'causal-leak': 'futureMass',
  'padding-leak': 'paddingMass',
  'masked-row': 'maskedRows',
  'zero-attention': 'zeroRatio',
  'inactive-head': 'outputRatio',
  nan: 'nonFinite',
};

/** One statistic of a board: `values` are [steps, rows, columns], NaN where nothing is known. */
export interface BoardStatistic {
  readonly key: HealthStatistic;
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly values: Float32Array;
}

/** A finding at its place: indices of step, row and column; the column after the last head is the layer as a whole. */
export interface PlacedFinding {
  readonly finding: Finding;
  readonly step: number;
  readonly row: number;
  readonly column: number;
  /** Index of the statistic in which it can be seen, or -1. */
  readonly statistic: number;
}

export interface Board {
  /** Steps, rising. */
  readonly steps: readonly number[];
  /** Module paths, those of one stack together. */
  readonly rows: readonly string[];
  readonly heads: readonly number[];
  /** Those that have a value anywhere. */
  readonly statistics: readonly BoardStatistic[];
  readonly findings: readonly PlacedFinding[];
}

function inOrder(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

/** Steps, layers and heads of some points, every statistic that they have, and findings at their places. */
export function boardOf(points: readonly HealthPoint[], findings: readonly Finding[] = []): Board {
  const steps = inOrder(points.map(({ step }) => step));
  const heads = inOrder(points.map(({ head }) => head));
  const paths = [...new Set(points.map(({ path }) => path))];
  const rows = groupBy(paths, (path) => placeOf(path).stack).flat();
  const axes = { steps, rows, heads };
  const statistics = healthStatistics.flatMap((statistic) => statisticOf(points, axes, statistic) ?? []);
  return { ...axes, statistics, findings: findings.flatMap((finding) => placed(finding, axes, statistics)) };
}

type Axes = Pick<Board, 'steps' | 'rows' | 'heads'>;

function statisticOf(
  points: readonly HealthPoint[],
  { steps, rows, heads }: Axes,
  { key, name, ratio }: (typeof healthStatistics)[number],
): BoardStatistic | undefined {
  const values = new Float32Array(steps.length * rows.length * heads.length).fill(Number.NaN);
  const [stepAt, rowAt, headAt] = [indices(steps), indices(rows), indices(heads)];
  let [low, high] = [0, Number.NEGATIVE_INFINITY];
  for (const point of points) {
    const value = point[key] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    [low, high] = [Math.min(low, value), Math.max(high, value)];
    const row = (stepAt.get(point.step) ?? 0) * rows.length + (rowAt.get(point.path) ?? 0);
    values[row * heads.length + (headAt.get(point.head) ?? 0)] = value;
  }
  if (high === Number.NEGATIVE_INFINITY) return undefined;
  return { key, name, values, ...(ratio ? { low: 0, high: 1 } : { low, high: high > low ? high : low + 1 }) };
}

function indices<T>(values: readonly T[]): ReadonlyMap<T, number> {
  return new Map(values.map((value, index) => [value, index]));
}

/** A finding in every row that it is about: of its module, or of all modules inside its block; none for a whole model. */
function placed(
  finding: Finding,
  { steps, rows, heads }: Axes,
  statistics: readonly BoardStatistic[],
): PlacedFinding[] {
  const statistic = statistics.findIndex(({ key }) => key === statisticOfRule[finding.rule]);
  const step = Math.max(0, steps.filter((one) => one <= finding.step).length - 1);
  const column = finding.head === undefined ? heads.length : heads.indexOf(finding.head);
  return rows.flatMap((path, row) => {
    const own = path === finding.path || (finding.path !== '' && path.startsWith(`${finding.path}.`));
    return own && column >= 0 ? [{ finding, step, row, column, statistic }] : [];
  });
}

/** The findings that can be seen in a statistic. */
export function findingsIn(key: HealthStatistic, findings: readonly Finding[]): Finding[] {
  return findings.filter(({ rule }) => statisticOfRule[rule] === key);
}
