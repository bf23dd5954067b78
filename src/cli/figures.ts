/** Figures for people: label, value and unit, on the terminal and in the report. */

import type { Latency } from '../metrics/percentile.js';
import { type KpiTable, kpiOf, standardKpis } from '../monitor/kpis.js';
import type { Task } from '../tasks/task.js';
import type { Output } from './output.js';

/** Figures of the summary that are not logged under the same name. */
const ownFigures: Readonly<Record<string, { readonly label: string; readonly unit: string }>> = {
  trainLoss: { label: 'Training loss', unit: 'nats' },
  validationLoss: { label: 'Validation loss', unit: 'nats' },
  inputsPerSecond: { label: 'Inputs evaluated', unit: 'inputs/s' },
};

/** The figures that a run of a task may log: the standard ones and the task's own. */
export function kpisOf({ figures }: Task): KpiTable {
  return { ...standardKpis, ...figures };
}

/** Label, value and unit of a figure, ready to be shown. */
export function figureText(
  name: string,
  value: number | null,
  kpis: KpiTable,
): readonly [label: string, value: string, unit: string] {
  const kpi = ownFigures[name] ?? kpiOf(`test/${name}`, kpis);
  if (value === null) return [kpi.label, 'none', ''];
  if (kpi.unit === 'ratio') return [kpi.label, (100 * value).toFixed(2), '%'];
  return [kpi.label, value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(3), kpi.unit];
}

/** The table of figures. */
export function showFigures(
  output: Output,
  figures: Readonly<Record<string, number | null>>,
  latencyMs: Latency,
  kpis: KpiTable,
): void {
  const { p50, p95, p99 } = latencyMs;
  const latencies = [p50, p95, p99].map((value) => value.toFixed(1)).join(' / ');
  output.line();
  output.table([
    ...Object.entries(figures).map(([name, value]) => figureText(name, value, kpis)),
    ['Latency p50 / p95 / p99', latencies, 'ms'],
  ]);
}
