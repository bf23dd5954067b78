/**
 * From the lines of metrics.jsonl and attention.jsonl to charts.
 */

import type { Finding } from '../core/finding.js';
import { findingText } from './findings.js';
import { findingsIn, type HealthPoint } from './healthData.js';
import type { ChartPin, LineChart, Point } from './lineChart.js';
import { groupBy } from './pictureGroup.js';
import { placeOf } from './place.js';
import type { MetricPoint } from './reportData.js';
import { visibleText } from './visibleText.js';

/** `split/metric` in parts; a name without a slash has no split. */
function partsOf(name: string): { readonly split: string; readonly metric: string } {
  const slash = name.indexOf('/');
  return slash < 0 ? { split: name, metric: name } : { split: name.slice(0, slash), metric: name.slice(slash + 1) };
}

/** `phonemeErrorRate` as `Phoneme error rate`. */
export function inWords(name: string): string {
  const spaced = name.replace(
    /([a-z0-9])([A-Z])/g,
    (_, before: string, after: string) => `${before} ${after.toLowerCase()}`,
  );
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Points of a curve from logged values, sorted by step. */
export function byStep(points: readonly { readonly step: number }[], value: (index: number) => number | null): Point[] {
  return points.map((point, index) => [point.step, value(index) ?? Number.NaN] as const).sort((a, b) => a[0] - b[0]);
}

/** One chart a metric, one curve a split; losses and norms that fall over more than two decades are logarithmic. */
export function metricCharts(points: readonly MetricPoint[]): LineChart[] {
  return groupBy(points, ({ name }) => partsOf(name).metric).map((group) => {
    const first = group[0] as MetricPoint;
    const series = groupBy(group, ({ name }) => name).map((own) => ({
      name: partsOf(own[0]?.name ?? '').split,
      points: byStep(own, (index) => own[index]?.value ?? null),
    }));
    const title = visibleText(inWords(partsOf(first.name).metric), 60);
    const single = series.length === 1 && series[0]?.name === partsOf(first.name).metric;
    return {
      title,
      xTitle: 'step',
      yTitle: first.unit === '' ? '' : visibleText(first.unit, 16),
      series: single ? series.map((one) => ({ ...one, name: '' })) : series,
      logarithmic: spansDecades(group),
    };
  });
}

/** Whether all values are positive and the largest is more than a hundred times the smallest. */
export function spansDecades(points: readonly Pick<MetricPoint, 'value'>[]): boolean {
  const values = points.map(({ value }) => value ?? Number.NaN).filter(Number.isFinite);
  const low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = values.reduce((a, b) => Math.max(a, b), 0);
  return low > 0 && high / low > 100;
}

/** One small chart a layer of a stack, one curve a head, all on the scale 0 to 1. */
export function entropyCharts(points: readonly HealthPoint[], findings: readonly Finding[] = []): LineChart[] {
  return layerCharts(points, findings, { key: 'entropyRatio', yTitle: 'ratio', yDomain: [0, 1] });
}

/** The same of the largest logit, logarithmic where it spans decades. */
export function logitCharts(points: readonly HealthPoint[], findings: readonly Finding[] = []): LineChart[] {
  return layerCharts(points, findings, { key: 'logitMax', yTitle: 'logit' });
}

interface Curves extends Pick<LineChart, 'yTitle' | 'yDomain'> {
  readonly key: 'entropyRatio' | 'logitMax';
}

function layerCharts(
  points: readonly HealthPoint[],
  findings: readonly Finding[],
  { key, ...axis }: Curves,
): LineChart[] {
  const known = points.filter((point) => Number.isFinite(point[key] ?? Number.NaN));
  return groupBy(known, ({ path }) => path).map((layer) => {
    const path = layer[0]?.path ?? '';
    const place = placeOf(path);
    const own = findingsIn(key, findings).filter((finding) => finding.path === path);
    return {
      title: `${place.stack}, ${place.layer}`,
      xTitle: 'step',
      ...axis,
      logarithmic: key === 'logitMax' && spansDecades(layer.map((point) => ({ value: point[key] ?? null }))),
      series: groupBy(layer, ({ head }) => String(head)).map((one) => ({
        name: `head ${one[0]?.head ?? 0}`,
        points: byStep(one, (index) => one[index]?.[key] ?? null),
      })),
      pins: own.flatMap((finding) => pinOf(finding, layer, key)),
    };
  });
}

/** A finding of a head on its curve, at its step. */
function pinOf(finding: Finding, layer: readonly HealthPoint[], key: Curves['key']): ChartPin[] {
  const point = layer.find(({ step, head }) => step === finding.step && head === finding.head);
  const y = point?.[key];
  if (y === undefined || y === null) return [];
  return [{ x: finding.step, y, severity: finding.severity, title: `head ${finding.head}: ${findingText(finding)}` }];
}
