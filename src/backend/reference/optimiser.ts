/**
 * One AdamW step, in place.
 *
 * Source: Loshchilov and Hutter, "Decoupled Weight Decay Regularization" (2019), algorithm 2, with the schedule
 * multiplier folded into `rate`.
 */

import { BackendError } from '../../core/errors.js';
import type { ReferenceKernel } from './kernel.js';

export const adamw: ReferenceKernel<'adamw_f32'> = (
  { parameter, m, v, gradient },
  { rate, beta1, beta2, epsilon, decay, step, gradientScale },
) => {
  if (!(step >= 1)) throw new BackendError(`adamw_f32: expected step >= 1, got ${step}`, { step });
  const N = parameter.shape[0] as number;
  const [unbias1, unbias2] = [1 / (1 - beta1 ** step), 1 / (1 - beta2 ** step)];
  for (let n = 0; n < N; n++) {
    const g = gradient.at(n) * gradientScale;
    const first = beta1 * m.at(n) + (1 - beta1) * g;
    const second = beta2 * v.at(n) + (1 - beta2) * g * g;
    const direction = (first * unbias1) / (Math.sqrt(second * unbias2) + epsilon);
    const old = parameter.at(n);
    m.store(m.position(n), first);
    v.store(v.position(n), second);
    parameter.store(parameter.position(n), old - rate * (direction + decay * old));
  }
};
