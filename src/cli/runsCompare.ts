/**
 * `keyhole runs compare`: figures of several runs beside each other, on the terminal and with overlaid curves in one
 * HTML file, and conditions that fail a pipeline. The first run is the baseline. The page: ../viz/comparison.ts; the
 * grammar of conditions: ../monitor/kpiCondition.ts.
 */

import { green, red } from 'ansis';
import { Command } from 'commander';
import { UsageError } from '../core/errors.js';
import { nearest } from '../metrics/editDistance.js';
import { type Judgement, judgeCondition, type KpiCondition, parseCondition } from '../monitor/kpiCondition.js';
import { kpiOrPlain } from '../monitor/kpis.js';
import { hostFiles } from '../train/files.js';
import { type ComparedRow, renderComparison } from '../viz/comparison.js';
import { figureNumber } from './figures.js';
import { Output } from './output.js';
import { shownPath } from './paths.js';
import { plainFigures, type RunFigures, readRunFigures } from './runFigures.js';

interface CompareFlags {
  readonly out: string;
  readonly failIf?: readonly string[];
  readonly json?: boolean;
}

/** A condition on one run. */
interface Verdict extends Judgement {
  readonly condition: string;
  readonly run: string;
  readonly value: number | undefined;
}

const grammar = `
A condition compares a figure with a number, or with the first run's: baseline, baseline ± number, baseline × number.
It is asked of every run but the first (of the first, if it is alone). When one holds, or a figure is missing or NaN, the
exit code is 1.

Example:
  keyhole runs compare runs/before runs/latest --fail-if "validation/loss > baseline + 0.02" "test/f1 < 0.9"`;

export function compareCommand(): Command {
  return new Command('compare')
    .description('Shows the figures of runs beside each other, and their curves in one HTML file.')
    .argument('<runs...>', 'folders of runs; the first is the baseline')
    .option('--out <file>', 'HTML file to write', 'comparison.html')
    .option('--fail-if <condition...>', 'end with exit code 1 when a condition holds')
    .option('--json', 'print one JSON object')
    .addHelpText('after', grammar)
    .action(compare);
}

function compare(paths: readonly string[], { out, failIf = [], json }: CompareFlags): void {
  const output = new Output({ json });
  const conditions = failIf.map(parseCondition);
  const runs = paths.map(readRunFigures);
  checkConditions(conditions, runs);
  const [labels, rows] = [labelsOf(runs), rowsOf(runs)];
  for (const [index, { name, notes }] of runs.entries()) {
    output.line(`${labels[index]}  ${name}`);
    for (const note of notes) output.line(`note: ${name}: ${note}`);
  }
  output.line();
  output.table([['', ...labels], ...rows.map(({ name, unit, values }) => [name, ...values.map((v) => cell(v, unit))])]);
  hostFiles.writeAtomic(out, page(runs, labels, rows));
  const verdicts = conditions.flatMap((condition) => verdictsOf(condition, runs));
  output.line();
  for (const verdict of verdicts) output.line(verdictText(verdict));
  output.line(`curves in ${out}`);
  const failed = verdicts.some(({ holds }) => holds);
  output.result({ runs: runs.map(plainRun), conditions: verdicts, failed, file: out });
  if (failed) process.exitCode = 1;
}

/** Errors: UsageError for a figure that nobody knows, or a baseline where there is only one run. */
function checkConditions(conditions: readonly KpiCondition[], runs: readonly RunFigures[]): void {
  const logged = new Set(runs.flatMap(({ figures }) => [...figures.keys()]));
  for (const { name, factor, text } of conditions) {
    if (factor !== 0 && runs.length === 1) {
      throw new UsageError(`--fail-if: expected two runs or more for "${text}", got one; the first is the baseline`);
    }
    if (logged.has(name) || kpiOrPlain(name, '').label !== name) continue;
    const known = [...logged].sort();
    throw new UsageError(
      `--fail-if: expected a figure that a run has logged, got ${name}; ${known.length === 0 ? 'these runs have none' : `did you mean ${nearest(name, known)}?`}`,
    );
  }
}

function verdictsOf(condition: KpiCondition, runs: readonly RunFigures[]): Verdict[] {
  const [baseline, ...others] = runs;
  const judged = others.length > 0 ? others : runs;
  return judged.map(({ name, figures }) => {
    const value = figures.get(condition.name)?.value;
    const judgement = judgeCondition(condition, value, baseline?.figures.get(condition.name)?.value);
    return { condition: condition.text, run: name, value, ...judgement };
  });
}

function verdictText({ condition, run, value, bound, holds, reason }: Verdict): string {
  const mark = holds ? red('FAIL') : green('pass');
  return `${mark}  ${run}: ${condition}: ${reason ?? `${value} against ${bound}`}`;
}

/** One letter a run, and the last word of its name. */
function labelsOf(runs: readonly RunFigures[]): string[] {
  return runs.map(({ name }, index) => {
    const letter = index < 26 ? String.fromCharCode(65 + index) : String(index + 1);
    return `${letter} ${name.split('-').at(-1)}`;
  });
}

function rowsOf(runs: readonly RunFigures[]): ComparedRow[] {
  const names = [...new Set(runs.flatMap(({ figures }) => [...figures.keys()]))];
  return names.map((name) => {
    const found = runs.map(({ figures }) => figures.get(name));
    const unit = found.find((figure) => figure !== undefined)?.unit ?? '';
    const { label, better } = kpiOrPlain(name, unit);
    return { name, label, unit, better, values: found.map((figure) => figure?.value ?? null) };
  });
}

function cell(value: number | null, unit: string): string {
  return value === null ? '' : figureNumber(value, unit);
}

function page(runs: readonly RunFigures[], labels: readonly string[], rows: readonly ComparedRow[]): string {
  return renderComparison({
    rows,
    runs: runs.map(({ name, run: { record }, entries }, index) => ({
      label: labels[index] ?? name,
      name,
      task: record.task,
      status: record.status,
      started: record.startedAt.replace('T', ' ').slice(0, 16),
      configuration: Object.fromEntries(
        Object.entries(record.configuration).map(([key, value]) => [key, String(value)]),
      ),
      metrics: entries,
    })),
  });
}

function plainRun(run: RunFigures): object {
  const { task, status } = run.run.record;
  return { run: shownPath(run.run.folder), task, status, steps: run.steps, kpis: plainFigures(run), notes: run.notes };
}
