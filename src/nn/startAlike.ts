/** Another start for self-attention: words look at words like themselves. The usual start is in initialise.ts. */

import type { MultiHeadAttention } from './multiHeadAttention.js';

/**
 * Makes the keys' projection begin as that of the queries, so that scores begin as a likeness, `x·Wqᵀ·Wq·yᵀ`, and not as
 * noise. The two learn apart from there on. What asks and what answers share a word long before they share a meaning, so
 * looking things up is learned in a fraction of the steps.
 *
 * Needs as many key/value heads as heads. Draws nothing, so all else starts as it would.
 *
 * Source: Trockman and Kolter 2023, "Mimetic Initialization of Self-Attention Layers", which has `Wq·Wkᵀ` start near a
 * multiple of the identity.
 */
export function startAlike({ q, k }: MultiHeadAttention): void {
  k.weight.write(Float32Array.from(q.weight.toArray()));
}
