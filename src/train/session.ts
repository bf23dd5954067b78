/**
 * Where training stands: the step, the position in the data, the random stream, the sums of the log, the best so far.
 * A checkpoint is exactly this plus weights and moments, so going on from one is the same as never having stopped.
 */

import { z } from 'zod';
import { RandomStream } from '../core/random.js';
import { type Cursor, firstCursor } from '../data/batching.js';
import type { Tensor } from '../tensor/tensor.js';
import { Alarms } from './alarms.js';
import type { Checkpoint, StoredArrays } from './checkpoint.js';
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

/** Before the names of the weights in the optimiser's file. */
const ownPrefix = 'weights.';

type Batches<Batch> = Iterator<{ readonly batch: Batch; readonly next: Cursor }>;

/** The mutable state of one training. */
export class Session<Batch> {
  /** Finished updates. */
  step = 0;
  best: Best | null = null;
  random: RandomStream;
  trainLoss: number | undefined;
  alarms: Alarms;
  /** Batches skipped one after the other, up to now. */
  skipped = 0;
  readonly #options: TrainOptions<Batch>;
  #meter = new Meter();
  #cursor = firstCursor;
  #batches: Batches<Batch>;
  #savedStep: number | undefined;

  constructor(options: TrainOptions<Batch>) {
    this.#options = options;
    this.random = new RandomStream(options.seed).fork('dropout');
    this.alarms = new Alarms(options.alarmDeviations ?? 0);
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

  /** Counts an update, or an attempt at one that was skipped. */
  finishStep(found: StepResult | undefined): void {
    this.step += 1;
    this.skipped = found ? 0 : this.skipped + 1;
    if (!found) return;
    this.#meter.add(found);
    this.#options.average?.add(this.step);
  }

  /** False when every update since the last line of the log was skipped. */
  get hasMeans(): boolean {
    return this.#meter.state.steps > 0;
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
    const { optimiser, checkpoints, log } = this.#options;
    log.flush();
    const [meter, alarms, trainLoss] = [this.#meter.state, this.alarms.state, this.trainLoss ?? null];
    const progress = { meter, best: this.best, trainLoss, alarms, skipped: this.skipped };
    checkpoints.save({
      step: this.step,
      bestStep: this.best?.step,
      model: storeTensors(this.#judged()),
      optimiser: new Map([...optimiser.store(), ...this.#ownWeights()]),
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
    this.#loadWeights(model, optimiser);
    this.step = step;
    this.#savedStep = step;
    this.random = RandomStream.restore(random);
    this.best = progress.best;
    this.trainLoss = progress.trainLoss ?? undefined;
    this.alarms = new Alarms(options.alarmDeviations ?? 0, progress.alarms);
    this.skipped = progress.skipped;
    this.#meter = new Meter(progress.meter);
    this.#cursor = cursor;
    this.#batches = options.batches(this.#cursor);
  }

  /** What is evaluated, and what everybody who opens a checkpoint gets: the average where there is one. */
  #judged(): ReadonlyMap<string, Tensor> {
    const { model, average } = this.#options;
    return average?.tensors ?? model.parameters();
  }

  /** The weights themselves, where the average took their place. */
  #ownWeights(): StoredArrays {
    const { model, average } = this.#options;
    if (!average) return new Map();
    return new Map([...storeTensors(model.parameters())].map(([name, array]) => [ownPrefix + name, array]));
  }

  #loadWeights(stored: StoredArrays, rest: StoredArrays): void {
    const { model, optimiser, average } = this.#options;
    const isOwn = ([name]: readonly [string, unknown]): boolean => average !== undefined && name.startsWith(ownPrefix);
    const own = [...rest].filter(isOwn).map(([name, array]) => [name.slice(ownPrefix.length), array] as const);
    loadTensors(this.#judged(), stored);
    if (average) loadTensors(model.parameters(), new Map(own));
    optimiser.load(new Map([...rest].filter((entry) => !isOwn(entry))));
  }
}
