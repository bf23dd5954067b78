/**
 * One update: forward and backward over the accumulated batches, clipping, the optimiser. Every batch runs in a scope of its
 * own, so that a warm step allocates nothing.
 */

import { RandomStream } from '../core/random.js';
import type { Context } from '../nn/context.js';
import type { Module } from '../nn/module.js';
import { backward } from '../tensor/autograd.js';
import { multiply } from '../tensor/elementwise.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { DivergenceError, firstBadGradient, firstBadOutput } from './guard.js';
import type { Optimiser } from './optimiser.js';

/** A mean loss, of shape [1] or [], over `tokens` predictions. */
export interface BatchLoss {
  readonly loss: Tensor;
  readonly tokens: number;
}

/** What an update needs beside the batches. */
export interface StepOptions<Batch> {
  readonly model: Module;
  readonly optimiser: Optimiser;
  readonly loss: (batch: Batch, context: Context) => BatchLoss;
  readonly random: RandomStream;
  /** Number of this update, from 1. */
  readonly step: number;
  readonly rate: number;
  /** Gradients are scaled down to this global norm. */
  readonly clipNorm: number;
}

/** What an update found. */
export interface StepResult {
  /** Mean loss per token. */
  readonly loss: number;
  readonly tokens: number;
  /** Global norm of the mean gradient, before clipping. */
  readonly norm: number;
}

/**
 * Makes one update from the mean loss over the tokens of all `batches` together, whatever their sizes.
 *
 * Errors: DivergenceError before any weight is touched when the loss or the norm is not finite.
 */
export function trainStep<Batch>(batches: Iterable<() => Batch>, options: StepOptions<Batch>): StepResult {
  const { optimiser, step, rate, clipNorm } = options;
  let [lossSum, tokens] = [0, 0];
  try {
    for (const next of batches) {
      const part = scope(() => accumulate(next(), options));
      lossSum += part.loss * part.tokens;
      tokens += part.tokens;
    }
    const norm = optimiser.gradientNorm() / tokens;
    if (!Number.isFinite(norm)) throw new DivergenceError(step, 'gradient', firstBadGradient(optimiser.parameters));
    optimiser.update({ step, rate, gradientScale: Math.min(1, clipNorm / norm) / tokens });
    return { loss: lossSum / tokens, tokens, norm };
  } finally {
    optimiser.clearGradients();
  }
}

/** Adds the gradient of the summed loss of one batch; the sum, so that batches of any size add up to one mean. */
function accumulate<Batch>(batch: Batch, options: StepOptions<Batch>): { loss: number; tokens: number } {
  const { model, random, step } = options;
  const before = random.state();
  const { loss, tokens } = options.loss(batch, { training: true, random });
  const value = loss.item();
  if (!Number.isFinite(value)) {
    const again = (): unknown => options.loss(batch, { training: true, random: RandomStream.restore(before) });
    throw new DivergenceError(step, 'loss', firstBadOutput(model, again));
  }
  backward(multiply(loss, tokens));
  return { loss: value, tokens };
}
