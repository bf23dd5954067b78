/**
 * The training loop: update, log, evaluate, checkpoint, until the steps or the patience run out, somebody asks to stop,
 * or the numbers diverge. What one update is: step.ts. What is remembered: session.ts. Runs on disk: run.ts.
 */

import { StateError } from '../core/errors.js';
import { Clock } from './clock.js';
import { DivergenceError } from './guard.js';
import type { Figures, TrainOptions, TrainResult } from './options.js';
import { judge, outOfPatience } from './progress.js';
import { Session } from './session.js';
import { type StepResult, trainStep } from './step.js';

/** Milliseconds of work after which timers, signals and progress bars get a turn. */
const turnMs = 200;

/**
 * Trains a model.
 *
 * Two calls with one seed log the same figures, and a call resumed from any checkpoint ends with the same bits as one
 * that was never disturbed; only times differ.
 *
 * Errors: DivergenceError, after which the last good checkpoint is the one to use; whatever the callbacks throw.
 */
export async function trainLoop<Batch>(options: TrainOptions<Batch>): Promise<TrainResult> {
  const session = new Session(options);
  const clock = new Clock();
  if (options.resume) options.onResume?.(...session.resume());
  session.save();
  while (session.step < options.totalSteps && !outOfPatience(session.best, options.earlyStopping)) {
    if (clock.turnIsDue(turnMs)) await clock.turn();
    if (options.signal?.aborted) {
      session.save();
      return resultOf('stopped', session, clock);
    }
    advance(session, options, clock);
    if (isDue(session.step, options.evaluateEvery, options.totalSteps)) await evaluate(session, options);
  }
  return resultOf('finished', session, clock);
}

/** One update, its line in the log when due, and a word to whoever watches. */
function advance<Batch>(session: Session<Batch>, options: TrainOptions<Batch>, clock: Clock): void {
  const step = session.step + 1;
  const rate = options.schedule(step);
  const { clipNorm = 1, accumulate = 1, logEvery = 10, totalSteps } = options;
  const batches = session.take(accumulate);
  const { random } = session;
  options.beforeStep?.(step);
  const update = (): StepResult => trainStep(batches, { ...options, random, step, rate, clipNorm });
  const found = attempt(() => clock.time(update), session, options);
  session.finishStep(found);
  for (const alarm of found ? session.alarms.add(step, found) : []) options.onAlarm?.(alarm);
  if (isDue(step, logEvery, totalSteps) && session.hasMeans) {
    const { loss, gradientNorm } = session.takeMeans();
    options.log.record(step, {
      'train/loss': loss,
      'train/gradientNorm': gradientNorm,
      'train/learningRate': rate,
      'train/tokensPerSecond': clock.takeRate(),
    });
  }
  if (found) report(options, step, rate, found, clock);
}

/** Updates that may be skipped one after the other before it is no accident. */
const mostSkipped = 10;

/** The update, or undefined when its batch was bad and is to be skipped. */
function attempt<Batch>(
  update: () => StepResult,
  session: Session<Batch>,
  { badBatch = 'stop', onAlarm }: TrainOptions<Batch>,
): StepResult | undefined {
  try {
    return update();
  } catch (error) {
    if (!(error instanceof DivergenceError) || badBatch === 'stop' || session.skipped >= mostSkipped) throw error;
    const { what, module } = error.details;
    const step = session.step + 1;
    const message = `step ${step}: skipped, its ${what} is not finite, first in ${module}`;
    onAlarm?.({ step, kind: 'skipped', message });
    return undefined;
  }
}

function report<Batch>(
  { onProgress, totalSteps }: TrainOptions<Batch>,
  step: number,
  rate: number,
  { loss }: StepResult,
  clock: Clock,
): void {
  const { tokensPerSecond, millisecondsPerStep } = clock;
  const secondsLeft = ((totalSteps - step) * millisecondsPerStep) / 1000;
  onProgress?.({ step, totalSteps, loss, rate, tokensPerSecond, secondsLeft });
}

/** Figures first, on the disk, and then the checkpoint: what a resumed run finds in the log it need not write again. */
async function evaluate<Batch>(session: Session<Batch>, options: TrainOptions<Batch>): Promise<void> {
  const { step } = session;
  const measure = (): Figures | Promise<Figures> => options.evaluate(step);
  const figures = await (options.average?.during(measure) ?? measure());
  options.log.record(step, figures);
  const { earlyStopping } = options;
  session.best = judge(session.best, step, deciding(figures, earlyStopping.metric), earlyStopping);
  session.save();
}

function deciding(figures: Figures, metric: string): number {
  const value = figures[metric];
  if (value !== undefined) return value;
  const known = Object.keys(figures).join(', ');
  throw new StateError(`trainLoop: expected evaluate() to give earlyStopping.metric = ${metric}, got only ${known}`);
}

function isDue(step: number, every: number, last: number): boolean {
  return step % every === 0 || step === last;
}

function resultOf<Batch>(
  status: TrainResult['status'],
  { step, best, trainLoss }: Session<Batch>,
  { tokensPerSecond }: Clock,
): TrainResult {
  return { status, step, best, trainLoss, tokensPerSecond };
}
