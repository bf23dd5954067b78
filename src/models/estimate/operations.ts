/**
 * Multiplications and additions of a plan, as `keyhole bench` counts them: matmul and allowed pairs of attention. The
 * counterpart that counts while a model runs is ../../cli/bench/operations.ts; the tests hold one against the other.
 */

import type { Mechanism } from './mechanisms.js';
import { type CheckedPlan, sharedWidth } from './plan.js';

/** Of one forward pass, and of the backward pass where there is one. */
export interface Operations {
  readonly matmul: number;
  readonly attention: number;
  readonly matmulBackward: number;
  readonly attentionBackward: number;
}

/** Positions that causal linear attention takes at once; its default. */
export const linearChunk = 64;

export function countOperations(plan: CheckedPlan, mechanism: Mechanism, pairs = mechanism.pairs): Operations {
  const { layers, batch, headWidth: D, train } = plan;
  const matmul = matmulOperations(plan);
  const attention = mechanism.linear ? linearOperations(plan) : 4 * D * pairs;
  const attentionBackward = mechanism.linear ? 2 * attention - unusedOperations(plan) : 10 * D * pairs;
  return {
    matmul,
    attention: layers * batch * attention,
    matmulBackward: train ? 2 * matmul : 0, // the gradients of both factors
    attentionBackward: train ? layers * batch * attentionBackward : 0,
  };
}

/** Every token through every weight matrix, and through the embedding table for the scores. */
function matmulOperations(plan: CheckedPlan): number {
  const { layers, width: E, hidden: F, vocabulary, length, batch, bidirectional } = plan;
  const matrices = 2 * E * E + 2 * E * sharedWidth(plan) + 2 * E * F;
  return 2 * batch * length * (layers * matrices + (bidirectional ? 0 : vocabulary * E));
}

/** Chunks that the length is cut into. */
function chunks({ length }: CheckedPlan): number[] {
  return Array.from({ length: Math.ceil(length / linearChunk) }, (_, at) =>
    Math.min(linearChunk, length - at * linearChunk),
  );
}

/** The state of all keys, φ(q) times it; causal, chunk by chunk, also the triangle inside (Katharopoulos et al. 2020). */
function linearOperations(plan: CheckedPlan): number {
  const { heads: H, keyValueHeads: G, headWidth: D, length, bidirectional } = plan;
  const throughState = 2 * length * (G + H) * D * (D + 1);
  const inside = chunks(plan).reduce((sum, size) => sum + 2 * size * size * H * (D + D + 1), 0);
  return throughState + (bidirectional ? 0 : inside);
}

/** Of the causal form's backward pass: the first chunk has no past, and nobody reads the state after the last. */
function unusedOperations(plan: CheckedPlan): number {
  const { heads: H, keyValueHeads: G, headWidth: D, bidirectional } = plan;
  const sizes = chunks(plan);
  return bidirectional ? 0 : 2 * D * (D + 1) * (H * (sizes[0] ?? 0) + 2 * G * (sizes.at(-1) ?? 0));
}
