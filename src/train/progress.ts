/**
 * What the loop remembers between steps besides weights: the sums behind the next line of the log, and how evaluation
 * has gone. All of it is part of a checkpoint, so a resumed run writes the same lines and stops at the same step.
 */

import { z } from 'zod';
import { Alarms, alarmsSchema } from './alarms.js';

const meterSchema = z.strictObject({ lossSum: z.number(), tokens: z.number(), normSum: z.number(), steps: z.int() });
const bestSchema = z.strictObject({ step: z.int(), value: z.number(), evaluationsSince: z.int() });

export const progressSchema = z.strictObject({
  meter: meterSchema,
  best: bestSchema.nullable(),
  /** Mean loss of the last line of the log. */
  trainLoss: z.number().nullable(),
  /** What is usual so far. Checkpoints of version 0.1 do not have it. */
  alarms: alarmsSchema.default(Alarms.fresh),
  /** Batches skipped one after the other, up to now. */
  skipped: z.int().default(0),
});

export type ProgressState = z.infer<typeof progressSchema>;
export type Best = Readonly<z.infer<typeof bestSchema>>;

/** Which figure of an evaluation decides, and how long to wait for it to get better. */
export interface EarlyStopping {
  readonly metric: string;
  /** Default `lower`: less is better. */
  readonly better?: 'lower' | 'higher';
  /** Evaluations without a new best before training ends; 0 = never. */
  readonly patience: number;
}

/** Means over the steps since the last line of the log. */
export class Meter {
  #sums: ProgressState['meter'];

  constructor(sums: ProgressState['meter'] = Meter.empty()) {
    this.#sums = sums;
  }

  static empty(): ProgressState['meter'] {
    return { lossSum: 0, tokens: 0, normSum: 0, steps: 0 };
  }

  add({ loss, tokens, norm }: { readonly loss: number; readonly tokens: number; readonly norm: number }): void {
    const sums = this.#sums;
    this.#sums = {
      lossSum: sums.lossSum + loss * tokens,
      tokens: sums.tokens + tokens,
      normSum: sums.normSum + norm,
      steps: sums.steps + 1,
    };
  }

  /** Mean loss per token and mean gradient norm, and starts anew. */
  take(): { readonly loss: number; readonly gradientNorm: number } {
    const { lossSum, tokens, normSum, steps } = this.#sums;
    this.#sums = Meter.empty();
    return { loss: lossSum / tokens, gradientNorm: normSum / steps };
  }

  get state(): ProgressState['meter'] {
    return this.#sums;
  }
}

/** The best of the evaluations so far. A figure that is not finite is never the best. */
export function judge(
  best: Best | null,
  step: number,
  value: number,
  { better = 'lower' }: EarlyStopping,
): Best | null {
  const beats = (other: number): boolean => (better === 'higher' ? value > other : value < other);
  if (Number.isFinite(value) && (best === null || beats(best.value))) return { step, value, evaluationsSince: 0 };
  return best && { ...best, evaluationsSince: best.evaluationsSince + 1 };
}

export function outOfPatience(best: Best | null, { patience }: EarlyStopping): boolean {
  return patience > 0 && best !== null && best.evaluationsSince >= patience;
}
