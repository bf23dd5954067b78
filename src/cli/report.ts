/** Fills the report of a run from its logs, its figures and some answers. What it looks like: ../viz/report.ts. */

import type { Latency } from '../metrics/percentile.js';
import type { KpiTable } from '../monitor/kpis.js';
import type { Answer, OpenTask, Task } from '../tasks/task.js';
import type { Run } from '../train/run.js';
import { renderReport } from '../viz/report.js';
import type { ReportFigure, ReportSample } from '../viz/reportData.js';
import { figureText, kpisOf } from './figures.js';
import type { RunLogs } from './runLogs.js';

/** What the report shows beside the logs. */
export interface ReportParts {
  readonly figures: Readonly<Record<string, number | null>>;
  readonly latencyMs: Latency;
  readonly samples: readonly Answer[];
}

/** The run that is reported on. */
export interface Reported {
  readonly trained: Task;
  readonly run: Run;
  readonly open: OpenTask;
  readonly logs: RunLogs;
}

/** Writes `report.html` into the run folder. */
export function writeReport({ trained, run, open, logs }: Reported, parts: ReportParts): void {
  const { task, status, startedAt, configuration } = run.record;
  const html = renderReport({
    run: run.folder.split('/').at(-1) ?? run.folder,
    task,
    status,
    started: startedAt.replace('T', ' ').slice(0, 16),
    configuration: Object.entries(configuration).map(([name, value]) => ({ name, value: String(value) })),
    figures: figuresOf(parts, kpisOf(trained)),
    axes: open.axes,
    samples: parts.samples.map(sampleOf),
    metrics: logs.metrics(),
    attention: logs.attentionEntries(),
  });
  run.write('report.html', html);
}

function figuresOf({ figures, latencyMs }: ReportParts, kpis: KpiTable): ReportFigure[] {
  const latencies = Object.entries(latencyMs).map(([name, value]) => ({ name: `Latency ${name}`, value, unit: 'ms' }));
  return [
    ...Object.entries(figures).map(([key, value]) => {
      const [name, , unit] = figureText(key, value, kpis);
      return { name, value: unit === '%' && value !== null ? 100 * value : value, unit };
    }),
    ...latencies,
  ];
}

function sampleOf({ input, output, references, pictures }: Answer): ReportSample {
  const correct = references.length > 0 && { correct: references.includes(output) };
  return { input, predicted: output, references, pictures, ...correct };
}
