/**
 * Curves over steps: axes with ticks, several series labelled at their ends, linear or logarithmic.
 *
 * Long series are thinned to equal buckets and each bucket drawn as its mean; gaps (NaN) stay gaps.
 */

import { type ScaleContinuousNumeric, scaleLinear, scaleLog } from 'd3-scale';
import { line } from 'd3-shape';
import type { Severity } from '../core/finding.js';
import { type Drawing, element, label, moved, shape } from './markup.js';
import { pin } from './pins.js';
import { svgDocument } from './svgDocument.js';
import { seriesColours, type Theme } from './theme.js';
import { visibleText } from './visibleText.js';

/** A point (x, y); y may be NaN, which leaves a gap. */
export type Point = readonly [x: number, y: number];

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

/** A finding on a curve. */
export interface ChartPin {
  readonly x: number;
  readonly y: number;
  readonly severity: Severity;
  readonly title: string;
}

/** A chart as data. */
export interface LineChart {
  readonly title: string;
  readonly xTitle: string;
  /** Unit of the values, such as `nats` or `%`. */
  readonly yTitle: string;
  readonly series: readonly Series[];
  /** Logarithmic values, base 10; values that are not positive leave gaps. Default false. */
  readonly logarithmic?: boolean;
  /** Findings, drawn above the curves. */
  readonly pins?: readonly ChartPin[];
  /** Ends of the value axis; default the data's. */
  readonly yDomain?: readonly [low: number, high: number];
}

export interface ChartSize {
  /** Pixels; default 460 x 260. */
  readonly width?: number;
  readonly height?: number;
}

/** Room of one point of a long series: closer ones cannot be told apart. */
const pixelsPerPoint = 4;

/** At most `limit` points: means of equal buckets of neighbours. */
export function thin(points: readonly Point[], limit: number): readonly Point[] {
  const size = Math.ceil(points.length / limit);
  if (size <= 1) return points;
  return Array.from({ length: Math.ceil(points.length / size) }, (_, bucket) => {
    const members = points.slice(bucket * size, (bucket + 1) * size);
    const mean = (axis: 0 | 1): number => members.reduce((sum, point) => sum + point[axis], 0) / members.length;
    return [mean(0), mean(1)] as const;
  });
}

/** A chart thinned to what is drawn: no NaN, no values outside a logarithm's reach, but gaps kept as NaN. */
export function drawable(chart: LineChart, width: number): LineChart {
  const usable = (y: number): boolean => Number.isFinite(y) && !(chart.logarithmic && y <= 0);
  const series = chart.series.map(({ name, points }) => ({
    name: visibleText(name, 24),
    points: thin(points, Math.ceil(width / pixelsPerPoint)).map(([x, y]) => [x, usable(y) ? y : Number.NaN] as const),
  }));
  return { ...chart, series: series.filter(({ points }) => points.some(([, y]) => usable(y))) };
}

type Scale = ScaleContinuousNumeric<number, number>;

/** Lowest and highest of some values; [0, 1] for none, and room around a single one. */
function extent(values: readonly number[]): [number, number] {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return [0, 1];
  const low = finite.reduce((a, b) => Math.min(a, b));
  const high = finite.reduce((a, b) => Math.max(a, b));
  return low < high ? [low, high] : [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
}

function valueScale(chart: LineChart, height: number): Scale {
  const data = chart.yDomain ?? extent(chart.series.flatMap(({ points }) => points.map(([, y]) => y)));
  if (chart.logarithmic) return scaleLog().domain(data).range([height, 0]).nice();
  return scaleLinear().domain(data).range([height, 0]).nice(5);
}

/** About `count` ticks; of a logarithmic axis that spans several decades, only the powers of ten. */
function tickValues(scale: Scale, count: number, logarithmic: boolean): number[] {
  const ticks = scale.ticks(count);
  const powers = ticks.filter((tick) => Math.abs(Math.log10(tick) - Math.round(Math.log10(tick))) < 1e-9);
  if (logarithmic && powers.length >= 3) return powers;
  return ticks.length <= 2 * count ? ticks : ticks.filter((_, i) => i % Math.ceil(ticks.length / count) === 0);
}

/** Numbers on axes and in readings: up to four significant digits, thousands separated. */
export function numberText(value: number): string {
  if (Number.isNaN(value)) return 'none';
  return value.toLocaleString(
    'en-US',
    Math.abs(value) >= 1000 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 4 },
  );
}

/** Moves rising positions apart until neighbours are `gap` away, as little as needed, staying above `limit`. */
export function spread(positions: readonly number[], gap: number, limit: number): number[] {
  const order = positions.map((_, i) => i).sort((a, b) => (positions[a] ?? 0) - (positions[b] ?? 0));
  const placed = [...positions];
  let last = Number.NEGATIVE_INFINITY;
  for (const i of order) {
    last = Math.max(placed[i] ?? 0, last + gap);
    placed[i] = last;
  }
  let next = limit;
  for (const i of order.reverse()) {
    next = Math.min(placed[i] ?? 0, next);
    placed[i] = next;
    next -= gap;
  }
  return placed;
}

function grid(x: Scale, y: Scale, width: number, height: number, chart: LineChart): string {
  const xTicks = tickValues(x, Math.max(2, Math.round(width / 90)), false);
  const yTicks = tickValues(y, Math.max(2, Math.round(height / 45)), chart.logarithmic === true);
  const rows = yTicks.map(
    (tick) =>
      shape('line', { class: 'rule', x1: 0, x2: width, y1: y(tick), y2: y(tick) }) +
      label(numberText(tick), { class: 'axis', x: -8, y: y(tick) + 4, 'text-anchor': 'end' }),
  );
  const columns = xTicks.map((tick) =>
    label(numberText(tick), { class: 'axis', x: x(tick), y: height + 18, 'text-anchor': 'middle' }),
  );
  const xTitle = label(chart.xTitle, { class: 'axis', x: width, y: height + 34, 'text-anchor': 'end' });
  const yTitle = label(chart.yTitle, { class: 'axis', x: -8, y: -12, 'text-anchor': 'end' });
  return [...rows, ...columns, xTitle, yTitle].join('');
}

/** The curve of a series, with dots where points are few or stand alone. */
function curve({ points }: Series, index: number, x: Scale, y: Scale): string {
  const path = line<Point>()
    .defined(([, value]) => !Number.isNaN(value))
    .x(([at]) => Math.round(x(at) * 10) / 10)
    .y(([, value]) => Math.round(y(value) * 10) / 10);
  const colour = index % seriesColours;
  const dashed = index >= seriesColours ? ' dashed' : '';
  const drawn = shape('path', { class: `curve s${colour}${dashed}`, d: path([...points]) ?? '' });
  if (points.length > 15) return drawn;
  const dots = points
    .filter(([, value]) => !Number.isNaN(value))
    .map(([at, value]) => shape('circle', { class: `d${colour}`, cx: x(at), cy: y(value), r: 2.5 }));
  return drawn + dots.join('');
}

/** The last value that is not a gap; drawn series have one. */
function lastValue(points: readonly Point[]): number {
  return points.reduce((last, [, value]) => (Number.isNaN(value) ? last : value), 0);
}

/** Names at the ends of the curves, moved apart where they would touch. */
function endLabels(series: readonly Series[], y: Scale, width: number, height: number): string {
  const ends = series.map(({ points }) => y(lastValue(points)));
  const places = spread(ends, 13, height + 4);
  return series
    .map(({ name }, index) => {
      const at = places[index] ?? 0;
      const dash = { class: `curve s${index % seriesColours}`, x1: width + 6, x2: width + 14, y1: at, y2: at };
      return shape('line', dash) + label(name, { x: width + 19, y: at + 4 });
    })
    .join('');
}

/** Where a chart's points lie, for readers by mouse and keyboard. */
export interface ChartDrawing extends Drawing {
  /** Distinct x of all points with their pixel position. */
  readonly stops: readonly { readonly x: number; readonly position: number }[];
}

/** Draws a chart; the title is left to the caller. */
export function drawLineChart(raw: LineChart, { width = 460, height = 260 }: ChartSize = {}): ChartDrawing {
  const chart = drawable(raw, width);
  const longest = chart.series.reduce((most, { name }) => Math.max(most, name.length), 0);
  const room = { left: 52, right: 26 + 6.6 * longest, top: 26, bottom: 40 };
  const plotWidth = width - room.left - room.right;
  const plotHeight = height - room.top - room.bottom;
  const steps = [...new Set(chart.series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const x = scaleLinear().domain(extent(steps)).range([0, plotWidth]);
  const y = valueScale(chart, plotHeight);
  const curves = chart.series.map((series, index) => curve(series, index, x, y));
  const ends = endLabels(chart.series, y, plotWidth, plotHeight);
  const empty = label('no values yet', {
    class: 'muted',
    x: plotWidth / 2,
    y: plotHeight / 2,
    'text-anchor': 'middle',
  });
  const pins = (chart.pins ?? []).map((one) => pin(one.severity, x(one.x), y(one.y), one.title));
  const marker = shape('line', { class: 'marker', x1: 0, x2: 0, y1: room.top, y2: room.top + plotHeight });
  const content =
    chart.series.length === 0 ? [empty] : [grid(x, y, plotWidth, plotHeight, chart), ...curves, ...pins, ends];
  const body = moved(room.left, room.top, element('g', {}, ...content)) + marker;
  return { width, height, body, stops: steps.map((at) => ({ x: at, position: room.left + x(at) })) };
}

/** What a chart shows, in words: where each curve starts, where it ends. */
export function describeChart(chart: LineChart): string {
  const parts = chart.series.map(({ name, points }) => {
    const [first, last] = [points[0], points[points.length - 1]];
    if (!first || !last) return `${visibleText(name, 24)} has no values`;
    const start = `from ${numberText(first[1])} at ${chart.xTitle} ${numberText(first[0])}`;
    return `${visibleText(name, 24)} ${start} to ${numberText(last[1])} at ${numberText(last[0])}`;
  });
  return `${chart.title} in ${chart.yTitle}: ${parts.join('; ') || 'no values yet'}.`;
}

/** A chart as a complete SVG file. */
export function lineChartSvg(chart: LineChart, options: ChartSize & { readonly theme?: Theme } = {}): string {
  return svgDocument(drawLineChart(chart, options), {
    title: chart.title,
    description: describeChart(chart),
    ...(options.theme ? { theme: options.theme } : {}),
  });
}
