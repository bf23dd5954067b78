/**
 * What a MultiHeadAttention layer is made of beside its projections: plain options of the attention call, or something
 * that changes q and k first or has parameters. New mechanisms need no change of the layer. Next: multiHeadAttention.ts,
 * which puts them together; talkingHeads.ts for one with parameters.
 */

import { and } from '../attention/mask.js';
import type { AttentionOptions } from '../attention/options.js';
import { StateError } from '../core/errors.js';
import type { Tensor } from '../tensor/tensor.js';

/** Options of the attention call that stay the same from call to call: mask, bias, softcap, normaliser and so on. */
export type MechanismOptions = Omit<AttentionOptions, 'dropout' | 'cache' | 'offset' | 'record'>;

/** Queries [B, H, L, D] and keys [B, G, S, D]. */
export interface QueriesAndKeys {
  readonly q: Tensor;
  readonly k: Tensor;
}

/** A mechanism with work to do in every call. A Module that is one has its parameters in the layer's tree. */
export interface AttentionMechanism {
  /** Options for the call. */
  options?(): MechanismOptions;
  /** Queries and keys as they go into the call and the cache; `past[b]` positions of sequence b came before. */
  prepare?(heads: QueriesAndKeys, past: readonly number[]): QueriesAndKeys;
}

export type Mechanism = MechanismOptions | AttentionMechanism;

export function isActive(mechanism: Mechanism): mechanism is AttentionMechanism {
  return 'options' in mechanism || 'prepare' in mechanism;
}

/** The options of all mechanisms: masks allow what all of them allow, everything else may be given once. */
export function mergedOptions(mechanisms: readonly Mechanism[]): MechanismOptions {
  const all = mechanisms.map((mechanism) => (isActive(mechanism) ? (mechanism.options?.() ?? {}) : mechanism));
  const given = all.flatMap((options) => Object.entries(options)).filter(([, value]) => value !== undefined);
  const names = given.map(([name]) => name);
  const twice = names.find((name, at) => name !== 'mask' && names.indexOf(name) < at);
  if (twice !== undefined)
    throw new StateError(`MultiHeadAttention: expected one ${twice}, got two; give it to the layer or to the call`);
  const masks = all.flatMap(({ mask }) => mask ?? []);
  const mask = masks.length > 1 ? and(...masks) : masks[0];
  return { ...Object.fromEntries(given), mask };
}
