/**
 * Time of a plan, predicted: operations over the share of the machine's peak that each kernel was measured at, and bytes
 * over the share of its copy bandwidth. A prediction for models whose matrices are at least a few hundred wide, and no
 * promise. The shares are those of docs/performance.md; `keyhole bench` measures them anew.
 */

import type { Mechanism } from './mechanisms.js';
import { linearKept } from './memory.js';
import { countOperations, type Operations } from './operations.js';
import { type CheckedPlan, sharedWidth } from './plan.js';

/** What a machine could do at most, as `keyhole bench` prints it. */
export interface MachineSpeed {
  /** Multiplications and additions, 10⁹ a second. */
  readonly peakGflops: number;
  /** Read and written bytes, 10⁹ a second. */
  readonly copyGigabytesPerSecond: number;
}

/**
 * Measured shares, one thread, AVX-512. Of the peak: matmul, and attention without a mask by its number of keys. Of copy
 * bandwidth: kernels that are bound by memory.
 */
export const measuredShares = {
  matmul: 0.85,
  /** Many products of 64 × 64 by 64 × 65, as in linear attention. */
  smallMatmul: 0.39,
  attentionForward: [
    { keys: 128, ratio: 0.55 },
    { keys: 2048, ratio: 0.82 },
    { keys: 16384, ratio: 0.78 },
  ],
  attentionBackward: [
    { keys: 128, ratio: 0.57 },
    { keys: 2048, ratio: 0.8 },
  ],
  norm: 0.64,
  normBackward: 0.57,
  elementwise: 0.92,
  crossEntropy: 0.38,
  crossEntropyBackward: 1.04,
  adamw: 1.54,
} as const;

/** Milliseconds of a forward pass or a training step. */
export function predictMs(plan: CheckedPlan, mechanism: Mechanism, parameters: number, machine: MachineSpeed): number {
  const operations = countOperations(plan, mechanism, mechanism.computedPairs);
  const byPeak = atPeak(plan, mechanism, operations) / machine.peakGflops;
  const byCopy = atCopy(plan, mechanism, parameters) / machine.copyGigabytesPerSecond;
  return (byPeak + byCopy) / 1e6;
}

/** Operations, each as many as its kernel loses to. */
function atPeak({ length }: CheckedPlan, { linear }: Mechanism, operations: Operations): number {
  const { matmul, attention, matmulBackward, attentionBackward } = operations;
  const { matmul: ratio, smallMatmul, attentionForward, attentionBackward: backward } = measuredShares;
  const forwardRatio = linear ? smallMatmul : shareAt(attentionForward, length);
  const backwardRatio = linear ? smallMatmul : shareAt(backward, length);
  return (matmul + matmulBackward) / ratio + attention / forwardRatio + attentionBackward / backwardRatio;
}

/** Bytes that kernels bound by memory read and write, each as many as its kernel loses to. */
function atCopy(plan: CheckedPlan, { linear }: Mechanism, parameters: number): number {
  const { batch, length, train } = plan;
  const perToken = forwardNumbers(plan, linear) + (train ? backwardNumbers(plan, linear) : 0);
  const update = (7 * parameters) / measuredShares.adamw; // reads weight, gradient and moments, writes all but the gradient
  return 4 * (batch * length * perToken + (train ? update : 0));
}

/** Norms read and write E; sums read 2·E and write E; gelu reads and writes F. */
function forwardNumbers(plan: CheckedPlan, linear: boolean): number {
  const { layers, width: E, hidden: F } = plan;
  const { norm, elementwise } = measuredShares;
  const block = (4 * E) / norm + (6 * E + 2 * F + (linear ? 2 * linearKept(plan) : 0)) / elementwise;
  return layers * block + (5 * E) / elementwise + (2 * E) / norm;
}

/** Their gradients: norm 3·E, sums 3·E, projections that meet, gelu 3·F; the loss reads V, its gradient reads and writes V. */
function backwardNumbers(plan: CheckedPlan, linear: boolean): number {
  const { layers, width: E, hidden: F, vocabulary, bidirectional } = plan;
  const { normBackward, elementwise, crossEntropy, crossEntropyBackward } = measuredShares;
  const sums = 6 * E + 2 * sharedWidth(plan) + 3 * F + (linear ? 4 * linearKept(plan) : 0);
  const loss = bidirectional ? 0 : vocabulary / crossEntropy + (2 * vocabulary) / crossEntropyBackward;
  return layers * ((6 * E) / normBackward + sums / elementwise) + loss;
}

type ShareByKeys = readonly { readonly keys: number; readonly ratio: number }[];

/** Between two measured lengths by the logarithm of the length; outside, the nearest. */
function shareAt(measured: ShareByKeys, keys: number): number {
  const above = measured.findIndex((each) => each.keys >= keys);
  const [low, high] = [measured[above === -1 ? measured.length - 1 : above - 1], measured[above]];
  if (!low || !high) return (low ?? high)?.ratio ?? 1;
  const part = Math.log(keys / low.keys) / Math.log(high.keys / low.keys);
  return low.ratio + part * (high.ratio - low.ratio);
}
