/** What came of a comparison: means, spread, significance and cost of each variant. */

import { meanAndDeviation, welchTest } from '../metrics/welch.js';
import type { Config, FigureTable } from '../tasks/task.js';
import { multiplyAdds } from './compareCost.js';
import type { Variant } from './comparePlan.js';
import { figureOf, type Trained } from './compareWorkers.js';

/** One variant over all seeds. */
export interface VariantResult {
  readonly name: string;
  /** The deciding figure, seed by seed. */
  readonly values: readonly number[];
  readonly mean: number;
  readonly deviation: number;
  /** Mean minus the mean of the first variant. */
  readonly difference: number;
  /** Welch's test against the first variant; NaN for itself and with one seed. */
  readonly p: number;
  readonly parameters: number;
  readonly seconds: number;
  readonly peakMemoryMb: number;
  readonly latencyP50Ms: number;
  /** Of one forward pass over a text as long as the context; NaN for other models. */
  readonly multiplyAdds: number;
  /** Tables of accuracy by group, means over the seeds. */
  readonly groups: readonly FigureTable[];
}

/** Results variant by variant, in the order of the variants. */
export function resultsOf(
  variants: readonly Variant[],
  trained: readonly Trained[],
  metric: string,
  configOf: (variant: Variant) => Config,
): readonly VariantResult[] {
  const lots = variants.map((variant) => trained.filter(({ job }) => job.variant === variant));
  const [first = []] = lots;
  const firstValues = first.map((one) => figureOf(one, metric));
  return variants.map((variant, index) => {
    const lot = lots[index] as readonly Trained[];
    const values = lot.map((one) => figureOf(one, metric));
    const { mean, deviation } = meanAndDeviation(values);
    const average = (figure: (one: Trained) => number): number => meanAndDeviation(lot.map(figure)).mean;
    const config = configOf(variant);
    return {
      ...{ name: variant.name, values, mean, deviation },
      difference: mean - meanAndDeviation(firstValues).mean,
      p: index === 0 ? Number.NaN : welchTest(firstValues, values),
      parameters: average(({ result }) => result.parameters),
      seconds: average(({ result }) => result.seconds),
      peakMemoryMb: average(({ result }) => result.peakMemoryMb),
      latencyP50Ms: average(({ result }) => result.latencyMs.p50),
      multiplyAdds: multiplyAdds(config, Number(config.context)) ?? Number.NaN,
      groups: groupsOf(lot),
    };
  });
}

/** Mean accuracy by group over the seeds; the held-out texts are the same for all of them. */
function groupsOf(lot: readonly Trained[]): FigureTable[] {
  const [first] = lot;
  const tables = first?.result.tables.filter(({ title }) => title.startsWith('Accuracy by ')) ?? [];
  return tables.map(({ title, columns, rows }) => {
    const same = lot.map(({ result }) => result.tables.find((table) => table.title === title));
    const means = rows.map(([name, , count], row) => {
      const { mean } = meanAndDeviation(same.map((table) => Number(table?.rows[row]?.[1])));
      return [name ?? '', mean, count ?? 0];
    });
    return { title, columns, rows: means };
  });
}

/** All variants in one table, for people. */
export function comparisonTable(results: readonly VariantResult[], metric: string): FigureTable {
  const shown = (value: number, digits: number): string => (Number.isFinite(value) ? value.toFixed(digits) : '–');
  return {
    title: `${metric} and cost`,
    columns: ['variant', metric, '±', 'difference', 'p', 'parameters', 'seconds', 'MB', 'ms a text', 'M multiply-adds'],
    rows: results.map((one) => [
      one.name,
      shown(one.mean, 4),
      shown(one.deviation, 4),
      shown(one.difference, 4),
      shown(one.p, 4),
      one.parameters,
      shown(one.seconds, 1),
      shown(one.peakMemoryMb, 0),
      shown(one.latencyP50Ms, 2),
      shown(one.multiplyAdds / 1e6, 2),
    ]),
  };
}

/** Accuracy by each grouping, one column a variant. */
export function groupTables(results: readonly VariantResult[]): FigureTable[] {
  const titles = [...new Set(results.flatMap(({ groups }) => groups.map(({ title }) => title)))];
  return titles.map((title) => {
    const own = results.map(({ groups }) => groups.find((table) => table.title === title));
    const rows = own[0]?.rows ?? [];
    return {
      title,
      columns: [title.replace('Accuracy by ', ''), ...results.map(({ name }) => name)],
      rows: rows.map(([name = ''], row) => [name, ...own.map((table) => Number(table?.rows[row]?.[1]))]),
    };
  });
}
