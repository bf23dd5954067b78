/**
 * Memory of a plan in bytes. The terms are the tensors that the layers make, in the order in which they make them; the
 * tests hold them against memory counted on a real model (decision 30). docs/estimate.md lists them.
 */

import type { Mechanism } from './mechanisms.js';
import { linearChunk } from './operations.js';
import { type CheckedPlan, sharedWidth } from './plan.js';

/** Bytes, by what they are for. */
export interface MemoryPlan {
  readonly weights: number;
  readonly gradients: number;
  /** Both moments of AdamW. */
  readonly optimiser: number;
  /** What a forward pass makes; in training it is all kept for backward, which needs some more. */
  readonly activations: number;
  /** Weights, gradients, optimiser and activations. */
  readonly total: number;
  /** Keys and values of all sequences when text is written token by token; not part of the total. */
  readonly cache: number;
}

const bytes = 4;

export function planMemory(plan: CheckedPlan, mechanism: Mechanism, parameters: number): MemoryPlan {
  const { layers, length, width, batch, train, bidirectional } = plan;
  const perToken = layers * keptByBlock(plan, mechanism) + keptOnce(plan) + transient(plan, mechanism);
  const spare = train && !bidirectional ? plan.vocabulary * width : 0; // the table's gradient comes in two parts
  const weights = bytes * (parameters + (bidirectional ? length * width : 0));
  const gradients = train ? bytes * parameters : 0;
  const optimiser = 2 * gradients;
  const activations = bytes * (batch * length * perToken + spare) + mechanism.mapBytes;
  const total = weights + gradients + optimiser + activations;
  return { weights, gradients, optimiser, activations, total, cache: bytes * batch * layers * cached(plan, mechanism) };
}

/** Numbers a layer and sequence holds of the past: k and v of every position, or the state of linear attention. */
function cached(plan: CheckedPlan, { linear }: Mechanism): number {
  const { headWidth: D, keyValueHeads: G, length } = plan;
  return linear ? G * D * (D + 1) : 2 * sharedWidth(plan) * length;
}

/** Numbers a token that a block makes: norm, q, k, v, attention, its projection, sum, norm, F twice, contraction, sum. */
function keptByBlock(plan: CheckedPlan, { linear }: Mechanism): number {
  const { width: E, hidden: F, heads: H, train, dropout } = plan;
  const statistics = train ? 4 : 0; // mean and deviation of two norms
  const dropped = train && dropout ? 2 * E + F : 0;
  const attention = linear ? (train ? linearKept(plan) : E) : E + H; // out, lse
  return 7 * E + 2 * sharedWidth(plan) + attention + 2 * F + statistics + dropped;
}

/** Embedding, position and the last norm, scores of the vocabulary; an encoder scales its embedding. */
function keptOnce({ width: E, vocabulary, bidirectional, train, dropout }: CheckedPlan): number {
  return (bidirectional ? 4 * E : 3 * E + vocabulary) + (train && dropout ? E : 0);
}

/** What the fullest moment of backward holds beside that: gradients of a block's tensors and of the scores. */
function transient(plan: CheckedPlan, { linear }: Mechanism): number {
  const { width: E, hidden: F, vocabulary, bidirectional, train } = plan;
  if (!train) return linear ? linearKept(plan) : 0;
  const inLinear = linear ? (bidirectional ? 8 : 12) * E : 0;
  return 5 * E + 2 * F + (bidirectional ? 0 : vocabulary) + inLinear;
}

/** Numbers a token that linear attention makes: features, chunks, triangles and states. */
export function linearKept({ heads: H, keyValueHeads: G, headWidth: D, bidirectional }: CheckedPlan): number {
  if (bidirectional) return H * (6 * D + 2) + G * (5 * D + 1);
  return H * (9 * D + 2 * linearChunk + 6) + G * (5 * D + (2 * D * (D + 1)) / linearChunk);
}
