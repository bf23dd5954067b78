/** Fills the report of a run from its logs, its figures and some answers. What it looks like: ../viz/report.ts. */

import type { Split } from '../data/split.js';
import type { Latency } from '../metrics/percentile.js';
import { diagnose } from '../monitor/doctor/diagnose.js';
import type { Answer, FigureTable, OpenTask, Task } from '../tasks/task.js';
import type { Run } from '../train/run.js';
import { renderReport } from '../viz/report.js';
import type { ReportData, ReportFigure, ReportSample, ReportSpeed } from '../viz/reportData.js';
import { readLog } from './checkSources.js';
import { readEvaluation } from './evaluationFile.js';
import { figureText } from './figures.js';
import { pictureCommand } from './findings.js';
import { shownPath } from './paths.js';
import type { RunLogs } from './runLogs.js';

/** What the report shows beside the logs. */
export interface ReportParts {
  readonly figures: Readonly<Record<string, number | null>>;
  readonly latencyMs: Latency;
  readonly tables?: readonly FigureTable[];
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
    figures: figuresOf(parts),
    axes: open.axes,
    ...(parts.tables && { tables: parts.tables }),
    samples: parts.samples.map(sampleOf),
    metrics: logs.metrics(),
    ...healthOf(run),
    ...speedOf(run, trained.judgedOn),
  });
  run.write('report.html', html);
}

/** What every head did, and what the doctor says to it. */
function healthOf(run: Run): Pick<ReportData, 'attention' | 'findings'> {
  const records = readLog(run);
  const findings =
    records.heads.length === 0 ? [] : diagnose(records, { pictureOf: pictureCommand(shownPath(run.folder)) });
  return { attention: records.heads, findings };
}

function figuresOf({ figures, latencyMs }: ReportParts): ReportFigure[] {
  const latencies = Object.entries(latencyMs).map(([name, value]) => ({ name: `Latency ${name}`, value, unit: 'ms' }));
  return [
    ...Object.entries(figures).map(([key, value]) => {
      const [name, , unit] = figureText(key, value);
      return { name, value: unit === '%' && value !== null ? 100 * value : value, unit };
    }),
    ...latencies,
  ];
}

/** What `keyhole eval` measured, on whatever weights; it has not been measured while a run trains. */
function speedOf(run: Run, split: Split): { readonly speed?: ReportSpeed } {
  const evaluation = readEvaluation(run, split);
  if (evaluation === undefined) return {};
  const { speed, step, backend, target, threads, measuredAt } = evaluation;
  const { warmMs, coldMs, coldCount, firstMs, peakMemoryMb, throughput } = speed;
  const machine = `${backend} (${target}), ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  const latencies = [
    { name: 'one input, warm', ...warmMs },
    { name: `model just opened (${coldCount} times)`, ...coldMs },
  ];
  const note = `Weights of step ${step} on ${machine}, ${measuredAt.slice(0, 10)}. The first answer of the process took ${firstMs.toFixed(1)} ms; its memory peaked at ${peakMemoryMb} MB.`;
  return { speed: { latencies, throughput, note } };
}

function sampleOf({ input, output, references, pictures }: Answer): ReportSample {
  const correct = references.length > 0 && { correct: references.includes(output) };
  return { input, predicted: output, references, pictures, ...correct };
}
