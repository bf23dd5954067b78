// Draws curves of a run as SVG: node scripts/draw-curve.mjs <run> <title> <unit> <out.svg> <name>… with names as in
// metrics.jsonl, such as validation/phonemeErrorRate. Ratios are drawn in per cent.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lineChartSvg } from '../dist/viz/index.js';

const [run, title, unit, out, ...names] = process.argv.slice(2);
const entries = readFileSync(join(run, 'metrics.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const words = (name) =>
  name
    .split('/')
    .at(-1)
    .replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
const series = names.map((name) => ({
  name: words(name),
  points: entries
    .filter((entry) => entry.name === name)
    .map(({ step, value, unit: of }) => [step, of === 'ratio' ? 100 * value : value]),
}));
writeFileSync(
  out,
  lineChartSvg({ title, xTitle: 'step', yTitle: unit, series }, { width: 640, height: 280, theme: 'light' }),
);
