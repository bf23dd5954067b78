/**
 * Starting values of parameters. Every layer draws from a RandomStream given to its constructor, so a seed fixes a model.
 */

import type { RandomStream } from '../core/random.js';
import { sizeOf } from '../core/shape.js';
import { tensor, zeros } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

const trainable = { requiresGrad: true } as const;

/** Uniform in ±sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010, eq. 16). */
export function xavierUniform(shape: readonly [number, number], random: RandomStream): Tensor {
  const bound = Math.sqrt(6 / (shape[0] + shape[1]));
  return filled(shape, () => (2 * random.uniform() - 1) * bound);
}

/** Normal with mean 0 and the given standard deviation. */
export function normalParameter(shape: readonly number[], deviation: number, random: RandomStream): Tensor {
  return filled(shape, () => random.normal() * deviation);
}

/** Draws a parameter anew: normal with mean 0 and the given standard deviation. */
export function drawNormal(parameter: Tensor, deviation: number, random: RandomStream): void {
  parameter.write(Float32Array.from({ length: parameter.size }, () => random.normal() * deviation));
}

export function zeroParameter(shape: readonly number[]): Tensor {
  return zeros(shape, trainable);
}

export function oneParameter(shape: readonly number[]): Tensor {
  return filled(shape, () => 1);
}

function filled(shape: readonly number[], next: () => number): Tensor {
  return tensor(Float32Array.from({ length: sizeOf(shape) }, next), shape, trainable);
}
