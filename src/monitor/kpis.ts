/**
 * The figures that a run may log: unit, direction and label of each. A logged name is `<phase>/<figure>`, such as
 * `validation/phonemeErrorRate`. To add one, add a line here, or pass your own table to `KpiLog`.
 */

import { StateError } from '../core/errors.js';
import { nearest } from '../metrics/editDistance.js';

/** One kind of figure. */
export interface Kpi {
  readonly label: string;
  readonly unit: string;
  /** Which way is better; `neither` for figures that only describe. */
  readonly better: 'lower' | 'higher' | 'neither';
}

/** When a figure is taken. */
export const phases = ['train', 'validation', 'test', 'inference'] as const;
export type Phase = (typeof phases)[number];

export type KpiTable = Readonly<Record<string, Kpi>>;

export const standardKpis = {
  loss: { label: 'Loss', unit: 'nats', better: 'lower' },
  perplexity: { label: 'Perplexity', unit: 'choices', better: 'lower' },
  tokenAccuracy: { label: 'Token accuracy', unit: 'ratio', better: 'higher' },
  phonemeErrorRate: { label: 'Phoneme error rate', unit: 'ratio', better: 'lower' },
  wordErrorRate: { label: 'Word error rate', unit: 'ratio', better: 'lower' },
  accuracy: { label: 'Accuracy', unit: 'ratio', better: 'higher' },
  precision: { label: 'Precision', unit: 'ratio', better: 'higher' },
  recall: { label: 'Recall', unit: 'ratio', better: 'higher' },
  f1: { label: 'F1', unit: 'ratio', better: 'higher' },
  learningRate: { label: 'Learning rate', unit: 'per step', better: 'neither' },
  gradientNorm: { label: 'Gradient norm before clipping', unit: 'nats', better: 'neither' },
  tokensPerSecond: { label: 'Throughput', unit: 'tokens/s', better: 'higher' },
  latencyP50Ms: { label: 'Latency, median', unit: 'ms', better: 'lower' },
  latencyP95Ms: { label: 'Latency, 95 %', unit: 'ms', better: 'lower' },
  latencyP99Ms: { label: 'Latency, 99 %', unit: 'ms', better: 'lower' },
} as const satisfies KpiTable;

/** The KPI behind a logged name. Errors: StateError for an unknown phase or figure, with the nearest known one. */
export function kpiOf(name: string, table: KpiTable = standardKpis): Kpi {
  const [phase = '', figure = '', ...rest] = name.split('/');
  const kpi = Object.hasOwn(table, figure) ? table[figure] : undefined;
  if (kpi !== undefined && rest.length === 0 && (phases as readonly string[]).includes(phase)) return kpi;
  throw new StateError(
    `kpiOf: expected <phase>/<figure> with a registered figure, got ${name}; did you mean ${nearest(phase, phases)}/${nearest(figure, Object.keys(table))}?`,
    { name },
  );
}
