/**
 * Learning-rate schedules: warm-up from 0, then a decay. Pure functions of the step, so nothing of them needs a
 * place in a checkpoint.
 */

/** How the rate goes down after warm-up. */
export type Decay = 'cosine' | 'inverseSquareRoot' | 'linear' | 'constant' | 'oneCycle';

export interface ScheduleOptions {
  /** Rate at the end of warm-up. */
  readonly peak: number;
  /** Steps of warm-up: step s of w has rate `peak·s/w`, for `oneCycle` `peak·(1 - cos(π·s/w))/2`. */
  readonly warmupSteps: number;
  /** Step at which `cosine`, `linear` and `oneCycle` reach the floor. */
  readonly totalSteps: number;
  readonly decay: Decay;
  /** Rate at the end of `cosine`, `linear` and `oneCycle`, as a share of the peak. Default 0. */
  readonly floorRatio?: number;
}

/** The learning rate of an update, counted from 1. */
export type Schedule = (step: number) => number;

/**
 * Warm-up and decay. With t the share of the way from warm-up w to the end, in [0, 1]: cosine `(1 + cos πt)/2`
 * (Loshchilov and Hutter 2017), linear `1 - t`, inverse square root `sqrt(w/s)` (Vaswani et al. 2017, eq. 3). One cycle is
 * cosine both ways (Smith and Topin 2018, as in fast.ai).
 */
export function createSchedule({ peak, warmupSteps, totalSteps, decay, floorRatio = 0 }: ScheduleOptions): Schedule {
  const afterWarmup = (step: number): number => {
    const way = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    switch (decay) {
      case 'cosine':
      case 'oneCycle':
        return floorRatio + ((1 - floorRatio) * (1 + Math.cos(Math.PI * way))) / 2;
      case 'linear':
        return floorRatio + (1 - floorRatio) * (1 - way);
      case 'inverseSquareRoot':
        return Math.sqrt(Math.max(1, warmupSteps) / step);
      case 'constant':
        return 1;
    }
  };
  const warmup = (share: number): number => (decay === 'oneCycle' ? (1 - Math.cos(Math.PI * share)) / 2 : share);
  return (step) => peak * (step <= warmupSteps ? warmup(step / warmupSteps) : afterWarmup(step));
}
