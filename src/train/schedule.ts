/**
 * Learning-rate schedules: linear warm-up from 0, then a decay. Pure functions of the step, so nothing of them needs a
 * place in a checkpoint.
 */

/** How the rate goes down after warm-up. */
export type Decay = 'cosine' | 'inverseSquareRoot' | 'linear' | 'constant';

export interface ScheduleOptions {
  /** Rate at the end of warm-up. */
  readonly peak: number;
  /** Steps of linear warm-up: step s of w has rate `peak·s/w`. */
  readonly warmupSteps: number;
  /** Step at which `cosine` and `linear` reach `floor`. */
  readonly totalSteps: number;
  readonly decay: Decay;
  /** Rate at the end of `cosine` and `linear`, as a share of the peak. Default 0. */
  readonly floorRatio?: number;
}

/** The learning rate of an update, counted from 1. */
export type Schedule = (step: number) => number;

/**
 * Warm-up and decay. With t the share of the way from warm-up w to the end, in [0, 1]: cosine `(1 + cos πt)/2`
 * (Loshchilov and Hutter 2017), linear `1 - t`, inverse square root `sqrt(w/s)` (Vaswani et al. 2017, eq. 3).
 */
export function createSchedule({ peak, warmupSteps, totalSteps, decay, floorRatio = 0 }: ScheduleOptions): Schedule {
  const afterWarmup = (step: number): number => {
    const way = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps));
    switch (decay) {
      case 'cosine':
        return floorRatio + ((1 - floorRatio) * (1 + Math.cos(Math.PI * way))) / 2;
      case 'linear':
        return floorRatio + (1 - floorRatio) * (1 - way);
      case 'inverseSquareRoot':
        return Math.sqrt(Math.max(1, warmupSteps) / step);
      case 'constant':
        return 1;
    }
  };
  return (step) => peak * (step <= warmupSteps ? step / warmupSteps : afterWarmup(step));
}
