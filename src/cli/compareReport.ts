/** Fills the page of a comparison: tables, curves over distance, and the same texts through every variant. */

import { openRunTask } from '../tasks/openRun.js';
import type { Answer, FigureTable, OpenTask } from '../tasks/task.js';
import { openRun } from '../train/run.js';
import type { LineChart } from '../viz/lineChart.js';
import { type ComparedText, renderTaskComparison } from '../viz/taskComparison.js';
import { comparisonTable, groupTables, type VariantResult } from './compareResult.js';
import type { Trained } from './compareWorkers.js';

/** Held-out texts among which telling ones are looked for, and how many are shown. */
const [searched, shown] = [200, 3];

export interface CompareReport {
  readonly task: string;
  readonly metric: string;
  readonly seeds: number;
  readonly results: readonly VariantResult[];
  /** The first training of each variant. */
  readonly firsts: readonly Trained[];
}

/** The report as one HTML file. Loads the data once, for the texts and their right answers. */
export async function compareReport({ task, metric, seeds, results, firsts }: CompareReport): Promise<string> {
  const opened = await Promise.all(
    firsts.map(async ({ job, result }, index) => {
      const { open } = await openRunTask(openRun(result.run), { data: index === 0 });
      return { name: job.variant.name, open };
    }),
  );
  const tables = groupTables(results);
  return renderTaskComparison({
    title: `${task}: ${results.length} ways compared`,
    method: `The same data, steps and sizes for all, ${seeds} ${seeds === 1 ? 'seed' : 'seeds'} each; ± is the standard deviation over seeds, p is Welch's test against the first.`,
    axes: (opened[0] as Opened).open.axes,
    tables: [comparisonTable(results, metric), ...tables],
    charts: tables.filter(isNumeric).map(chartOf),
    texts: tellingTexts(opened),
  });
}

interface Opened {
  readonly name: string;
  readonly open: OpenTask;
}

function isNumeric({ title, rows }: FigureTable): boolean {
  return title.endsWith('distance') && rows.every(([name]) => typeof name === 'number');
}

function chartOf({ title, columns, rows }: FigureTable): LineChart {
  const [xTitle = '', ...names] = columns;
  const series = names.map((name, at) => ({
    name,
    points: rows.map((row) => [Number(row[0]), Number(row[at + 1])] as const),
  }));
  return { title, xTitle, yTitle: 'accuracy', series, yDomain: [0, 1] };
}

/** Texts that the first variant answers rightly and as many others as possible do not. */
function tellingTexts(opened: readonly Opened[]): ComparedText[] {
  const [first, ...others] = opened as [Opened, ...Opened[]];
  const inputs = first.open.inputs('test', searched);
  const right = inputs.filter((input) => isRight(first.open.answer(input)));
  const misses = (input: string): number => {
    const { references } = first.open.answer(input);
    return others.filter(({ open }) => !references.includes(open.answer(input).output)).length;
  };
  const ranked = right.map((input) => ({ input, missed: misses(input) })).sort((a, b) => b.missed - a.missed);
  return ranked.slice(0, shown).map(({ input }) => {
    const { references, needed = [] } = first.open.answer(input);
    const answers = opened.map(({ name, open }) => {
      const { output, pictures } = open.answer(input, { attention: true });
      const correct = references.includes(output);
      return { variant: name, sample: { input, predicted: output, references, pictures, correct } };
    });
    return { input, reference: references.join(' or '), needed, answers };
  });
}

function isRight({ output, references }: Answer): boolean {
  return references.includes(output);
}
