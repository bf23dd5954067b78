/**
 * The figures that a run may log: unit, direction and label of each. A logged name is `<phase>/<figure>`, such as
 * `validation/phonemeErrorRate`. To add one, add a line here, or pass your own table to `KpiLogger`.
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

const [ratio, points, ms] = ['ratio', 'points', 'ms'] as const;

export const standardKpis = {
  loss: { label: 'Loss', unit: 'nats', better: 'lower' },
  perplexity: { label: 'Perplexity', unit: 'choices', better: 'lower' },
  bitsPerCharacter: { label: 'Bits per character', unit: 'bits', better: 'lower' },
  tokenAccuracy: { label: 'Token accuracy', unit: ratio, better: 'higher' },
  phonemeErrorRate: { label: 'Phoneme error rate', unit: ratio, better: 'lower' },
  characterErrorRate: { label: 'Character error rate', unit: ratio, better: 'lower' },
  wordErrorRate: { label: 'Word error rate', unit: ratio, better: 'lower' },
  accuracy: { label: 'Accuracy', unit: ratio, better: 'higher' },
  precision: { label: 'Precision', unit: ratio, better: 'higher' },
  recall: { label: 'Recall', unit: ratio, better: 'higher' },
  f1: { label: 'F1', unit: ratio, better: 'higher' },
  macroF1: { label: 'F1, mean of classes', unit: ratio, better: 'higher' },
  microF1: { label: 'F1 of all decisions', unit: ratio, better: 'higher' },
  weightedF1: { label: 'F1, classes by size', unit: ratio, better: 'higher' },
  rocAuc: { label: 'Area under the ROC curve', unit: ratio, better: 'higher' },
  calibrationError: { label: 'Expected calibration error', unit: ratio, better: 'lower' },
  bleu: { label: 'BLEU', unit: points, better: 'higher' },
  chrf: { label: 'chrF', unit: points, better: 'higher' },
  rouge1: { label: 'ROUGE-1', unit: ratio, better: 'higher' },
  rouge2: { label: 'ROUGE-2', unit: ratio, better: 'higher' },
  rougeL: { label: 'ROUGE-L', unit: ratio, better: 'higher' },
  learningRate: { label: 'Learning rate', unit: 'per step', better: 'neither' },
  gradientNorm: { label: 'Gradient norm before clipping', unit: 'nats', better: 'neither' },
  tokensPerSecond: { label: 'Throughput', unit: 'tokens/s', better: 'higher' },
  inputsPerSecond: { label: 'Inputs answered', unit: 'inputs/s', better: 'higher' },
  latencyP50Ms: { label: 'Latency, median', unit: ms, better: 'lower' },
  latencyP95Ms: { label: 'Latency, 95 %', unit: ms, better: 'lower' },
  latencyP99Ms: { label: 'Latency, 99 %', unit: ms, better: 'lower' },
  coldLatencyP50Ms: { label: 'Latency cold, median', unit: ms, better: 'lower' },
  coldLatencyP95Ms: { label: 'Latency cold, 95 %', unit: ms, better: 'lower' },
  coldLatencyP99Ms: { label: 'Latency cold, 99 %', unit: ms, better: 'lower' },
  firstLatencyMs: { label: 'First answer of a process', unit: ms, better: 'lower' },
  peakMemoryMb: { label: 'Peak memory of the process', unit: 'MB', better: 'lower' },
} as const satisfies KpiTable;

/** The KPI behind a logged name. Errors: StateError for an unknown phase or figure, with the nearest known one. */
export function kpiOf(name: string, table: KpiTable = standardKpis): Kpi {
  const kpi = find(name, table);
  if (kpi !== undefined) return kpi;
  const [phase = '', figure = ''] = name.split('/');
  throw new StateError(
    `kpiOf: expected <phase>/<figure> with a registered figure, got ${name}; did you mean ${nearest(phase, phases)}/${nearest(figure, Object.keys(table))}?`,
    { name },
  );
}

/** The KPI behind a name of somebody's log, who may have had a table of his own: unknown ones describe and never judge. */
export function kpiOrPlain(name: string, unit: string): Kpi {
  return find(name, standardKpis) ?? { label: name, unit, better: 'neither' };
}

/** A figure in one line, as other programs show it: `Loss, in nats; lower is better`. */
export function describeKpi({ label, unit, better }: Kpi): string {
  return `${label}${unit === '' ? '' : `, in ${unit}`}${better === 'neither' ? '' : `; ${better} is better`}`;
}

function find(name: string, table: KpiTable): Kpi | undefined {
  const [phase = '', figure = '', ...rest] = name.split('/');
  if (rest.length > 0 || !(phases as readonly string[]).includes(phase)) return undefined;
  return Object.hasOwn(table, figure) ? table[figure] : undefined;
}
