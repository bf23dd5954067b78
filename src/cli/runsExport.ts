/** `keyhole runs export`: the log of a run for other programs: CSV, Parquet, or the text that Prometheus reads. */

import { Command, Option } from 'commander';
import { kpiCsv, kpiParquet } from '../monitor/kpiTable.js';
import { prometheusText } from '../monitor/prometheus.js';
import { hostFiles } from '../train/files.js';
import { Output } from './output.js';
import { type RunFigures, readRunFigures } from './runFigures.js';

interface ExportFlags {
  readonly format: Format;
  readonly out: string;
  readonly json?: boolean;
}

type Format = 'csv' | 'parquet' | 'prometheus';

const formats: Readonly<Record<Format, (run: RunFigures) => string | Promise<string | Uint8Array>>> = {
  csv: ({ entries }) => kpiCsv(entries),
  parquet: ({ entries }) => kpiParquet(entries),
  prometheus: ({ name, run, figures }) =>
    prometheusText(
      [...figures].map(([name, figure]) => ({ name, wallTimeMs: 0, ...figure })),
      { run: name, task: run.record.task },
    ),
};

export function exportCommand(): Command {
  return new Command('export')
    .description('Writes the figures of a run for other programs.')
    .argument('<run>', 'folder of the run')
    .addOption(
      new Option('--format <name>', 'every line of the log as csv or parquet, or final figures for prometheus')
        .choices(Object.keys(formats))
        .makeOptionMandatory(),
    )
    .requiredOption('--out <file>', 'file to write')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  keyhole runs export runs/latest --format csv --out metrics.csv')
    .action(exportRun);
}

async function exportRun(path: string, { format, out, json }: ExportFlags): Promise<void> {
  const output = new Output({ json });
  const run = readRunFigures(path);
  for (const note of run.notes) output.line(`note: ${note}`);
  hostFiles.writeAtomic(out, await formats[format](run));
  output.line(`${run.entries.length} lines of ${run.name} in ${out}`);
  output.result({ run: run.name, format, file: out, entries: run.entries.length, notes: run.notes });
}
