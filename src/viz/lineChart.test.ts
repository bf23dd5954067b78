import { describe, expect, it } from 'vitest';
import { type LineChart, lineChartSvg, numberText, spread, thin } from './lineChart.js';
import { entropyCharts, inWords, metricCharts } from './reportCharts.js';

const chart: LineChart = {
  title: 'Loss',
  xTitle: 'step',
  yTitle: 'nats',
  series: [
    {
      name: 'train',
      points: [
        [0, 4],
        [10, 2],
        [20, Number.NaN],
        [30, 1],
      ],
    },
    {
      name: 'validation',
      points: [
        [10, 2.5],
        [30, 1.5],
      ],
    },
  ],
};

describe('lineChartSvg', () => {
  it('labels axes, ticks and every series', () => {
    const svg = lineChartSvg(chart);
    for (const word of ['step', 'nats', 'train', 'validation', '30']) expect(svg).toContain(`>${word}</text>`);
    expect(svg).toContain('train from 4 at step 0 to 1 at 30');
  });

  it('leaves a gap at NaN: the curve starts anew', () => {
    const [, d] = /class="curve s0" d="([^"]+)"/.exec(lineChartSvg(chart)) ?? [];
    expect(d?.match(/M/g)).toHaveLength(2);
    expect(d).not.toContain('NaN');
  });

  it('shows powers of ten on a logarithmic axis and leaves out what has no logarithm', () => {
    const points = [
      [0, 1000],
      [1, 10],
      [2, 0],
      [3, 0.1],
    ] as const;
    const svg = lineChartSvg({ ...chart, series: [{ name: 'norm', points }], logarithmic: true });
    for (const tick of ['0.1', '1', '10', '100', '1,000']) expect(svg).toContain(`>${tick}</text>`);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });

  it.each([
    ['no series', []],
    ['only NaN', [{ name: 'a', points: [[1, Number.NaN]] as const }]],
  ])('says that there is nothing yet for %s', (_, series) => {
    expect(lineChartSvg({ ...chart, series })).toContain('no values yet');
  });

  it('draws a single point', () => {
    const svg = lineChartSvg({ ...chart, series: [{ name: 'a', points: [[5, 0]] }] });
    expect(svg).toMatch(/<circle/);
    expect(svg).not.toMatch(/NaN|Infinity/);
  });
});

describe('helpers of charts', () => {
  it('thins to means of equal buckets', () => {
    const points = Array.from({ length: 1000 }, (_, i) => [i, 2 * i] as const);
    const thinned = thin(points, 100);
    expect(thinned).toHaveLength(100);
    expect(thinned[0]).toEqual([4.5, 9]);
  });

  it('spreads labels without leaving the plot', () => {
    const placed = spread([10, 11, 50, 99, 100], 13, 100);
    const sorted = [...placed].sort((a, b) => a - b);
    sorted.slice(1).forEach((at, i) => {
      expect(at - (sorted[i] ?? 0)).toBeGreaterThanOrEqual(13 - 1e-9);
    });
    expect(Math.max(...placed)).toBeLessThanOrEqual(100);
  });

  it('writes numbers for people', () => {
    expect([0.00012345, 8.414, 18432, Number.NaN].map(numberText)).toEqual(['0.0001235', '8.414', '18,432', 'none']);
  });
});

describe('charts from the lines of a run', () => {
  it('draws splits of one metric together', () => {
    const charts = metricCharts([
      { step: 1, name: 'train/loss', value: 3, unit: 'nats' },
      { step: 1, name: 'validation/loss', value: null, unit: 'nats' },
      { step: 1, name: 'tokensPerSecond', value: 9, unit: 'tokens/s' },
    ]);
    expect(charts.map(({ title, series }) => [title, series.map(({ name }) => name)])).toEqual([
      ['Loss', ['train', 'validation']],
      ['Tokens per second', ['']],
    ]);
    expect(charts[0]?.series[1]?.points).toEqual([[1, Number.NaN]]);
  });

  it('uses a logarithm only for positive values over two decades', () => {
    const of = (...values: number[]): boolean | undefined =>
      metricCharts(values.map((value, step) => ({ step, name: 'train/x', value, unit: '' })))[0]?.logarithmic;
    expect([of(1, 1000), of(1, 50), of(0, 1000)]).toEqual([true, false, false]);
  });

  it('gives each layer a chart with a curve a head', () => {
    const path = 'encoder.blocks.0.attention';
    const charts = entropyCharts([0, 1].map((head) => ({ step: 5, path, head, entropyRatio: 0.5 })));
    expect(charts).toHaveLength(1);
    expect(charts[0]?.title).toBe('Encoder self-attention, layer 0');
    expect(charts[0]?.series.map(({ name }) => name)).toEqual(['head 0', 'head 1']);
  });

  it('turns names into words', () => {
    expect(inWords('phonemeErrorRate')).toBe('Phoneme error rate');
  });
});
