/** The check before every timing: a wrong result has no speed. */

import { StateError } from '../../core/errors.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Relative to the largest value; float32 sums of 16,384 terms stay well below. */
const tolerance = 1e-4;

/** Throws StateError where `got` is off by more than 1e-4 of the largest true value, or of 1. */
export function expectClose(label: string, got: Tensor, truth: Tensor): void {
  const [ours, theirs] = [got.toArray(), Float64Array.from(truth.toArray())];
  const scale = theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  theirs.forEach((value, index) => {
    const mine = ours[index] as number;
    if (mine === value || Math.abs(mine - value) <= tolerance * scale) return;
    throw new StateError(`bench: expected ${label} = ${value} at ${index}, got ${mine}; nothing was timed`);
  });
}
