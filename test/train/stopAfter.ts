/** Options of a training that somebody stops: after so many updates it is asked to. */

import type { TrainOptions } from '../../src/train/options.js';

export function stopAfter(updates: number): Pick<TrainOptions<never>, 'signal' | 'onProgress'> {
  const controller = new AbortController();
  return { signal: controller.signal, onProgress: ({ step }) => step === updates && controller.abort() };
}
