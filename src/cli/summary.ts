/**
 * The end of a training: the best weights, their figures on the test data, five samples, the report, and one table and
 * one JSON object that say it all.
 */

import { bold, dim, green, red } from 'ansis';
import type { Backend } from '../backend/contract.js';
import { type FinalFigures, finalFigures } from '../tasks/finalFigures.js';
import type { Answer, OpenTask, Task } from '../tasks/task.js';
import { inPhase } from '../tasks/trainTask.js';
import type { Figures, TrainResult } from '../train/options.js';
import { loadTensors } from '../train/parameters.js';
import type { Run } from '../train/run.js';
import { showFigures } from './figures.js';
import { beamsOf } from './openModel.js';
import type { Output } from './output.js';
import { shownPath } from './paths.js';
import { writeReport } from './report.js';
import { meanRate } from './runFigures.js';
import type { RunLogs } from './runLogs.js';
import type { ProfileReport, StepProfile } from './stepProfile.js';
import { showTables } from './tables.js';

/** A training that has come to its end. */
export interface Finished {
  readonly trained: Task;
  readonly run: Run;
  readonly open: OpenTask;
  readonly backend: Backend;
  readonly logs: RunLogs;
  readonly result: TrainResult;
  readonly output: Output;
  readonly profile: StepProfile | undefined;
}

/** Evaluates, reports and prints. A stopped training only says where it stands. */
export function finish(finished: Finished): void {
  const { run, open, result, output } = finished;
  const { backend, target } = finished.backend.info;
  const head = { run: shownPath(run.folder), status: result.status, backend, target, steps: result.step };
  if (result.status === 'stopped') {
    output.line(`Stopped at step ${result.step}; go on with --resume.`);
    output.result(head);
    return;
  }
  output.line('Evaluating on held-out data.');
  const final = evaluate(finished);
  const samples = sampleAnswers(finished);
  const { loss, ...rates } = final.figures;
  const { trainLoss = null } = result;
  const tokensPerSecond = result.tokensPerSecond || meanRate(finished.logs.metrics()); // 0 when all was trained before
  const judgedOnTest = finished.trained.judgedOn === 'test';
  const losses = { trainLoss, validationLoss: judgedOnTest ? validationLoss(finished) : (loss ?? null) };
  showFigures(output, { ...losses, ...rates, tokensPerSecond }, final.latencyMs);
  const tables = open.tables?.(finished.trained.judgedOn) ?? [];
  showTables(output, tables);
  showSamples(output, samples);
  writeReport(finished, {
    tables,
    figures: { ...losses, ...rates, tokensPerSecond },
    latencyMs: final.latencyMs,
    samples,
  });
  const profile = finished.profile?.report();
  if (profile) showProfile(output, profile);
  output.line();
  output.line(`report ${bold(shownPath(run.path('report.html')))}`);
  const report = shownPath(run.path('report.html'));
  const json = { ...head, ...losses, ...(judgedOnTest && { testLoss: loss }), ...rates, tokensPerSecond };
  const cost = {
    parameters: open.model.parameterCount(),
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
  };
  const seconds = performance.now() / 1000; // the clock starts with the process
  output.result({
    ...json,
    ...cost,
    latencyMs: final.latencyMs,
    seconds,
    report,
    ...(tables.length > 0 && { tables }),
    ...(profile && { profile }),
  });
}

/** Puts the best weights into the model and judges them on the test data; logs what it found, once. */
function evaluate({ trained, run, open, logs, result }: Finished): FinalFigures {
  loadTensors(open.model.parameters(), run.checkpoints.load('best').checkpoint.model);
  const final = finalFigures(open, trained.judgedOn, beamsOf(run.record));
  const logged = logs.metrics().some(({ step, name }) => step === result.step && name.startsWith('inference/'));
  if (!logged) {
    logs.record(result.step, finalOf(final, trained));
    logs.close();
  }
  return final;
}

/** What is new at the end: figures on test data, if there are any, and latencies. */
function finalOf({ figures, latencyMs }: FinalFigures, { judgedOn }: Task): Figures {
  const { p50, p95, p99 } = latencyMs;
  return {
    ...(judgedOn === 'test' && inPhase('test', figures)),
    'inference/latencyP50Ms': p50,
    'inference/latencyP95Ms': p95,
    'inference/latencyP99Ms': p99,
  };
}

/** Loss on validation data of the weights that were kept. */
function validationLoss({ logs, result }: Finished): number | null {
  const found = logs.metrics().find(({ step, name }) => step === result.best?.step && name === 'validation/loss');
  return found?.value ?? null;
}

function sampleAnswers({ run, open }: Finished): readonly Answer[] {
  return open.samples.map((input) => open.answer(input, { beams: beamsOf(run.record), attention: true }));
}

function showSamples(output: Output, samples: readonly Answer[]): void {
  output.line();
  output.table(
    samples.map(({ input, output: predicted, references }) => {
      const shown = bold(oneLine(input).slice(-shownCharacters));
      if (references.length === 0) return [shown, oneLine(predicted).slice(0, shownCharacters)];
      const right = references.includes(predicted);
      return [shown, predicted, right ? green('✓') : `${red('✗')} ${dim(references.join(' or '))}`];
    }),
  );
}

/** Of a text; of an input the end, where questions are. */
const shownCharacters = 80;

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ');
}

function showProfile(output: Output, { kernelRatio, kernels }: ProfileReport): void {
  output.line();
  output.line(`${(100 * kernelRatio).toFixed(1)} % of the time of training steps is inside kernels:`);
  output.table(
    kernels.map(({ kernel, calls, milliseconds }) => [kernel, `${calls} calls`, `${milliseconds.toFixed(0)} ms`]),
  );
}
