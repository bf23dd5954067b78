/**
 * Where training stands: the step, the position in the data, the random stream, the sums of the log, the best so far.
 * A checkpoint is exactly this plus weights and moments, so going on from one is the same as never having stopped.
 */

import { z } from 'zod';
import { RandomStream } from '../core/random.js';
import { type Cursor, firstCursor } from '../data/batching.js';
import type { Checkpoint } from './checkpoint.js';
import type { TrainOptions } from './options.js';
import { loadTensors, storeTensors } from './parameters.js';
import { type Best, Meter, progressSchema } from './progress.js';
import type { StepResult } from './step.js';
import { validate } from './validate.js';

const stateSchema = z.strictObject({
  random: z.array(z.int()),
  cursor: z.strictObject({ epoch: z.int(), index: z.int() }),
  progress: progressSchema,
});

type Batches<Batch> = Iterator<{ readonly batch: Batch; readonly next: Cursor }>;

/** The mutable state of one training. */
export class Session<Batch> {
  /** Finished updates. */
  step = 0;
  best: Best | null = null;
  random: RandomStream;
  trainLoss: number | undefined;
  readonly #options: TrainOptions<Batch>;
  #meter = new Meter();
  #cursor = firstCursor;
  #batches: Batches<Batch>;
  #savedStep: number | undefined;

  constructor(options: TrainOptions<Batch>) {
    this.#options = options;
    this.random = new RandomStream(options.seed).fork('dropout');
    this.#batches = options.batches(firstCursor);
  }

  /** The next `count` batches, each made when it is called for. */
  *take(count: number): Generator<() => Batch> {
    for (let taken = 0; taken < count; taken++) {
      yield () => {
        const { batch, next } = this.#batches.next().value;
        this.#cursor = next;
        return batch;
      };
    }
  }

  finishStep(found: StepResult): void {
    this.step += 1;
    this.#meter.add(found);
  }

  /** Means since the last line of the log. */
  takeMeans(): { readonly loss: number; readonly gradientNorm: number } {
    const means = this.#meter.take();
    this.trainLoss = means.loss;
    return means;
  }

  /** Writes a checkpoint of this step, once, after everything logged so far is on the disk. */
  save(): void {
    if (this.#savedStep === this.step) return;
    const { model, optimiser, checkpoints, log } = this.#options;
    log.flush();
    const progress = { meter: this.#meter.state, best: this.best, trainLoss: this.trainLoss ?? null };
    checkpoints.save({
      step: this.step,
      bestStep: this.best?.step,
      model: storeTensors(model.parameters()),
      optimiser: optimiser.store(),
      state: { random: this.random.state(), cursor: { ...this.#cursor }, progress },
    });
    this.#savedStep = this.step;
  }

  /**
   * Goes on from the last good checkpoint, or from the beginning when none was written yet. Returns the step, and what
   * had to be passed over on the way.
   */
  resume(): [step: number, notices: readonly string[]] {
    const { checkpoints } = this.#options;
    if (checkpoints.steps().length === 0) return [0, []];
    const { checkpoint, notices } = checkpoints.load('last');
    this.#restore(checkpoint);
    return [checkpoint.step, notices];
  }

  #restore({ step, model, optimiser, state }: Checkpoint): void {
    const options = this.#options;
    const { random, cursor, progress } = validate(stateSchema, state, `${options.checkpoints.folder}/step-${step}`);
    loadTensors(options.model.parameters(), model);
    options.optimiser.load(optimiser);
    this.step = step;
    this.#savedStep = step;
    this.random = RandomStream.restore(random);
    this.best = progress.best;
    this.trainLoss = progress.trainLoss ?? undefined;
    this.#meter = new Meter(progress.meter);
    this.#cursor = cursor;
    this.#batches = options.batches(this.#cursor);
  }
}
