/**
 * Watches loss and gradient norm for values far above what is usual. An alarm changes nothing; it tells the one who
 * watches. What ends training: guard.ts.
 */

import { z } from 'zod';

const usualSchema = z.strictObject({ count: z.int(), mean: z.number(), variance: z.number() });

export const alarmsSchema = z.strictObject({ loss: usualSchema, gradientNorm: usualSchema });
export type AlarmsState = z.infer<typeof alarmsSchema>;
type Usual = z.infer<typeof usualSchema>;

/** Something that whoever watches a training should know of. */
export interface Alarm {
  readonly step: number;
  /** `skipped`: the batch gave values that are not finite, and no update was made. */
  readonly kind: 'loss' | 'gradientNorm' | 'skipped';
  readonly message: string;
}

/** Share of a new value in the running mean and variance. */
const share = 0.02;
/** Values before the first alarm: until then nothing is known to be usual. */
const settling = 50;

/** Running mean and variance of two figures; the state is part of a checkpoint. */
export class Alarms {
  state: AlarmsState;
  readonly #deviations: number;

  /** `deviations` above the mean are an alarm; 0 = never. */
  constructor(deviations: number, state: AlarmsState = Alarms.fresh()) {
    this.#deviations = deviations;
    this.state = state;
  }

  static fresh(): AlarmsState {
    const nothing = { count: 0, mean: 0, variance: 0 };
    return { loss: nothing, gradientNorm: nothing };
  }

  /** Takes in what an update found, and says what is far from usual about it. */
  add(step: number, { loss, norm }: { readonly loss: number; readonly norm: number }): Alarm[] {
    const found = [this.#judge(step, 'loss', loss), this.#judge(step, 'gradientNorm', norm)];
    this.state = { loss: take(this.state.loss, loss), gradientNorm: take(this.state.gradientNorm, norm) };
    return found.flatMap((alarm) => alarm ?? []);
  }

  #judge(step: number, kind: 'loss' | 'gradientNorm', value: number): Alarm | undefined {
    const { count, mean, variance } = this.state[kind];
    const limit = mean + this.#deviations * Math.sqrt(variance);
    if (this.#deviations === 0 || count < settling || value <= limit) return undefined;
    const [name, shown, usual] = [
      kind === 'loss' ? 'loss' : 'gradient norm',
      value.toPrecision(4),
      mean.toPrecision(4),
    ];
    const times = ((value - mean) / Math.sqrt(variance)).toFixed(1);
    return { step, kind, message: `step ${step}: ${name} ${shown} is ${times} deviations above its mean ${usual}` };
  }
}

/** Exponentially weighted mean and variance (West 1979); the first values count alike. */
function take({ count, mean, variance }: Usual, value: number): Usual {
  const weight = Math.max(share, 1 / (count + 1));
  const step = weight * (value - mean);
  return { count: count + 1, mean: mean + step, variance: (1 - weight) * (variance + step * (value - mean)) };
}
