/** `keyhole train <task> --find-rate`: sweeps the learning rate, draws the loss over it, and suggests a peak. */

import type { Config, OpenTask, Task } from '../tasks/task.js';
import { rateFinderOf } from '../tasks/trainTask.js';
import { hostFiles } from '../train/files.js';
import type { RateFinding } from '../train/rateFinder.js';
import { lineChartSvg } from '../viz/lineChart.js';
import type { Output } from './output.js';

const file = 'find-rate.svg';

/** Sweeps, writes `find-rate.svg` here, and prints what was found. */
export function findRateOf(task: Task, open: OpenTask, config: Config, output: Output): void {
  const found = rateFinderOf(open, config);
  hostFiles.writeAtomic(file, chartOf(task, found));
  const suggestion = Number(found.steepest.toPrecision(2));
  output.table([
    ['Steepest fall at', found.steepest.toExponential(2), 'a peak rate to start from'],
    ['Lowest loss at', found.lowest.toExponential(2), 'more is too much'],
    ['Steps', String(found.points.length), ''],
  ]);
  output.line(`curve ${file}; try --set learningRate=${suggestion}`);
  output.result({ task: task.name, learningRate: suggestion, ...found, curve: file });
}

function chartOf({ name }: Task, { points }: RateFinding): string {
  const series = [{ name: 'loss', points: points.map(({ rate, loss }) => [Math.log10(rate), loss] as const) }];
  const chart = {
    title: `Loss of ${name} over the learning rate`,
    xTitle: 'log₁₀ of the rate',
    yTitle: 'nats',
    series,
  };
  return lineChartSvg(chart, { width: 640, height: 300, theme: 'light' });
}
