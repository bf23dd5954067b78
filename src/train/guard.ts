/**
 * The divergence guard: NaN or infinity in the loss or the gradients ends training before it reaches the weights, and
 * the error names the place it came from.
 */

import { KeyholeError } from '../core/errors.js';
import type { Module } from '../nn/module.js';
import { watchOutputs } from '../nn/watchOutputs.js';
import { noGrad } from '../tensor/recording.js';
import { scope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';

/** Training left the numbers. `details` hold the step, what was not finite, and the first module concerned. */
export class DivergenceError extends KeyholeError {
  constructor(step: number, what: string, module: string) {
    super(
      'DIVERGED',
      `trainLoop: expected a finite ${what} at step ${step}, got NaN or infinity, first in ${module}; lower learningRate or clipNorm, the last good checkpoint is kept`,
      { step, what, module },
    );
  }
}

/** Path of the first module with a gradient that is not finite, in the order of the model's tree. */
export function firstBadGradient(parameters: ReadonlyMap<string, Tensor>): string {
  for (const [name, { grad }] of parameters) {
    if (grad !== undefined && !allFinite(grad)) return name.slice(0, Math.max(0, name.lastIndexOf('.'))) || name;
  }
  return 'the sum of squares';
}

/**
 * Path of the first module, in order of execution, whose output is not finite: `forward` runs once more with every
 * module's own `forward` watched.
 */
export function firstBadOutput(model: Module, forward: () => unknown): string {
  let found: string | undefined;
  const look = (path: string, output: unknown): void => {
    if (found === undefined && tensorsIn(output).some((tensor) => !allFinite(tensor))) found = path || 'the model';
  };
  watchOutputs(model, look, () => scope(() => noGrad(() => void forward())));
  return found ?? 'the loss';
}

function tensorsIn(output: unknown): Tensor[] {
  if (output instanceof Tensor) return [output];
  return typeof output === 'object' && output !== null ? Object.values(output).flatMap(tensorsIn) : [];
}

function allFinite(tensor: Tensor): boolean {
  return tensor.dtype !== 'f32' || tensor.toArray().every(Number.isFinite);
}
