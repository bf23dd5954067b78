/**
 * `keyhole eval`: a run's figures on held-out data, and how fast it answers; both are written into the run, and for
 * the data that the task is judged on into its report. What is measured: ../tasks/inferenceSpeed.ts, ../tasks/finalFigures.ts.
 */

import { Command, Option } from 'commander';
import type { BackendInfo } from '../backend/contract.js';
import type { Split } from '../data/split.js';
import type { Latency } from '../metrics/percentile.js';
import { type FinalFigures, finalFigures } from '../tasks/finalFigures.js';
import { type InferenceSpeed, measureSpeed } from '../tasks/inferenceSpeed.js';
import { openRunTask } from '../tasks/openRun.js';
import type { OpenTask, Task } from '../tasks/task.js';
import { inPhase } from '../tasks/trainTask.js';
import type { Figures } from '../train/options.js';
import type { Run } from '../train/run.js';
import { type Evaluation, writeEvaluation } from './evaluationFile.js';
import { showFigures } from './figures.js';
import { beamsOf, openModel } from './openModel.js';
import { Output } from './output.js';
import { shownPath } from './paths.js';
import { writeReport } from './report.js';
import { readRunFigures } from './runFigures.js';
import { RunLogs } from './runLogs.js';

interface EvalFlags {
  readonly split?: Split;
  readonly json?: boolean;
}

export function evalCommand(): Command {
  return new Command('eval')
    .description('Evaluates the best weights of a run: metrics, latency cold and warm, throughput, memory.')
    .argument('<run>', 'folder of the run')
    .addOption(
      new Option('--split <name>', 'data to use (default: the part that the task is judged on)').choices([
        'train',
        'validation',
        'test',
      ]),
    )
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  keyhole eval runs/latest --split test')
    .action(evaluate);
}

async function evaluate(path: string, { split: wanted, json }: EvalFlags): Promise<void> {
  const output = new Output({ json });
  const { run, task, open, step, backend } = await openModel(path, output, { data: true });
  const split = wanted ?? task.judgedOn;
  for (const notice of open.notices) output.line(`note: ${notice}`);
  const beams = beamsOf(run.record);
  const reopen = async (): Promise<OpenTask> => (await openRunTask(run)).open;
  const speed = await measureSpeed(open, { split, beams, reopen }); // first, because it times the first answer
  const final = finalFigures(open, split, beams);
  showFigures(output, { ...final.figures, inputsPerSecond: final.inputsPerSecond }, final.latencyMs);
  const evaluation = evaluationOf(split, step, backend, final, speed);
  showSpeed(output, evaluation);
  writeEvaluation(run, split, evaluation);
  if (split === task.judgedOn) renewReport(run, task, open, final);
  output.result(resultOf(run, split, final, evaluation));
}

function evaluationOf(
  split: Split,
  step: number,
  { backend, target, threads }: BackendInfo,
  { figures, latencyMs }: FinalFigures,
  { firstMs, coldMs, coldCount, throughput }: InferenceSpeed,
): Evaluation {
  const peakMemoryMb = Math.round(process.resourceUsage().maxRSS / 1024);
  const fastest = throughput.reduce((best, { inputsPerSecond }) => Math.max(best, inputsPerSecond), 0);
  const inference: Figures = {
    ...latencies('latency', latencyMs),
    ...latencies('coldLatency', coldMs),
    firstLatencyMs: firstMs,
    peakMemoryMb,
    ...(throughput.length > 0 && { inputsPerSecond: fastest }),
  };
  return {
    ...{ format: 1, step, backend, target, threads, measuredAt: new Date().toISOString() },
    figures: {
      ...Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${split}/${name}`, value])),
      ...inPhase('inference', inference),
    },
    speed: { firstMs, coldMs, coldCount, warmMs: latencyMs, peakMemoryMb, throughput: [...throughput] },
  };
}

function latencies(name: 'latency' | 'coldLatency', { p50, p95, p99 }: Latency): Figures {
  return { [`${name}P50Ms`]: p50, [`${name}P95Ms`]: p95, [`${name}P99Ms`]: p99 };
}

function showSpeed(output: Output, { speed }: Evaluation): void {
  const { coldMs, coldCount, firstMs, peakMemoryMb, throughput } = speed;
  const cold = [coldMs.p50, coldMs.p95, coldMs.p99].map((value) => value.toFixed(1)).join(' / ');
  output.table([
    [`Latency cold p50 / p95 / p99 of ${coldCount}`, cold, 'ms'],
    ['First answer of the process', firstMs.toFixed(1), 'ms'],
    ['Peak memory of the process', String(peakMemoryMb), 'MB'],
    ...throughput.map(({ batch, length, inputsPerSecond }) => [
      `Throughput, ${batch} at once, ${length} characters`,
      inputsPerSecond.toFixed(inputsPerSecond < 100 ? 1 : 0),
      'inputs/s',
    ]),
  ]);
}

/** The report of the run with these figures, the evaluation's speed included. */
function renewReport(run: Run, trained: Task, open: OpenTask, { figures, latencyMs }: FinalFigures): void {
  const { loss = null, ...rates } = figures;
  const known = readRunFigures(run.folder).figures;
  const logged = (name: string): number | null => known.get(name)?.value ?? null;
  const validationLoss = trained.judgedOn === 'validation' ? loss : logged('validation/loss');
  const losses = { trainLoss: logged('train/loss'), validationLoss };
  const samples = open.samples.map((input) => open.answer(input, { beams: beamsOf(run.record), attention: true }));
  const all = { ...losses, ...rates, tokensPerSecond: logged('train/tokensPerSecond') };
  writeReport({ trained, run, open, logs: new RunLogs(run) }, { figures: all, latencyMs, samples });
}

function resultOf(run: Run, split: Split, final: FinalFigures, evaluation: Evaluation): object {
  const { figures, inputsPerSecond, latencyMs } = final;
  const { backend, target, step, speed } = evaluation;
  const { firstMs, coldMs, coldCount, peakMemoryMb, throughput } = speed;
  return {
    ...{ run: shownPath(run.folder), split, backend, target, steps: step },
    ...{ ...figures, inputsPerSecond, latencyMs, coldLatencyMs: coldMs, coldCount, firstLatencyMs: firstMs },
    ...{ peakMemoryMb, throughput },
  };
}
