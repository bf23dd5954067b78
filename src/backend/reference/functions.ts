/**
 * The scalar functions behind the codes of kernels.def: each unary operation with its derivative, each binary
 * operation, each activation. NaN goes in, NaN comes out, also for relu, maximum and minimum.
 */

import type { activations, binaryOps, unaryOps } from '../kernels.generated.js';
import { normalDensity, normalDistribution } from './erf.js';

export interface Differentiable {
  readonly value: (a: number) => number;
  readonly derivative: (a: number) => number;
}

const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
const relu = (a: number): number => Math.max(a, 0);
const gelu = (a: number): number => a * normalDistribution(a);

export const unaryFunctions: Readonly<Record<(typeof unaryOps)[number], Differentiable>> = {
  negate: { value: (a) => -a, derivative: () => -1 },
  exp: { value: Math.exp, derivative: Math.exp },
  log: { value: Math.log, derivative: (a) => 1 / a },
  sqrt: { value: Math.sqrt, derivative: (a) => 0.5 / Math.sqrt(a) },
  tanh: { value: Math.tanh, derivative: (a) => 1 - Math.tanh(a) ** 2 },
  sigmoid: { value: sigmoid, derivative: (a) => sigmoid(a) * sigmoid(-a) },
  relu: { value: relu, derivative: (a) => (a > 0 ? 1 : 0) },
  gelu: { value: gelu, derivative: (a) => normalDistribution(a) + a * normalDensity(a) },
  silu: { value: (a) => a * sigmoid(a), derivative: (a) => sigmoid(a) * (1 + a * sigmoid(-a)) },
  square: { value: (a) => a * a, derivative: (a) => 2 * a },
  abs: { value: Math.abs, derivative: Math.sign },
};

export const binaryFunctions: Readonly<Record<(typeof binaryOps)[number], (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
};

export const activationFunctions: Readonly<Record<(typeof activations)[number], (a: number) => number>> = {
  none: (a) => a,
  relu,
  gelu,
};
