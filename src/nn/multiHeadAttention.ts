/**
 * Multi-head attention: projections around the one attention call. Self-attention when no memory is given,
 * cross-attention otherwise. Next: ../attention/attention.ts.
 */

import { attention } from '../attention/attention.js';
import type { AttentionCache } from '../attention/attentionCache.js';
import type { AttentionDropout } from '../attention/options.js';
import { ShapeError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';
import { Tensor } from '../tensor/tensor.js';
import { permute, reshape } from '../tensor/views.js';
import {
  isActive,
  type Mechanism,
  type MechanismOptions,
  mergedOptions,
  type QueriesAndKeys,
} from './attentionMechanism.js';
import type { Context } from './context.js';
import { Linear } from './linear.js';
import { Module } from './module.js';

export interface MultiHeadAttentionOptions {
  /** Model width E. */
  readonly width: number;
  /** Query heads H; E must be a multiple unless `headWidth` is given. */
  readonly heads: number;
  /** Key/value heads G; H must be a multiple. Default H; 1 is multi-query (Shazeer 2019), else grouped (Ainslie et al. 2023). */
  readonly keyValueHeads?: number;
  /** Width D of a head's queries and keys. Default E / H. */
  readonly headWidth?: number;
  /** Width Dv of a head's values. Default D. */
  readonly valueWidth?: number;
  /** Width of the memory in cross-attention. Default E. */
  readonly memoryWidth?: number;
  /** Dropout on the attention weights while training. Default 0. */
  readonly dropout?: number;
  /** Biases of the four projections. Default true. */
  readonly bias?: boolean;
  /** What every call does beside plain attention: options such as `{ mask: causal() }`, or modules. Masks add up. */
  readonly mechanisms?: readonly Mechanism[];
}

/** Keys [B, G, S, D] and values [B, G, S, Dv], projected and split. */
export interface KeysAndValues {
  readonly k: Tensor;
  readonly v: Tensor;
}

/** What may differ from call to call: options of the attention call, and these. */
export interface MultiHeadAttentionInputs extends MechanismOptions {
  /** Sequence to attend to: [B, S, E], or its projection when it serves many calls. Default x itself. */
  readonly memory?: Tensor | KeysAndValues | undefined;
  /** Keys and values of earlier steps; see ../attention/attentionCache.ts. */
  readonly cache?: AttentionCache | undefined;
}

/**
 * `concat_h(attention(x·Wq_h, m·Wk_h, m·Wv_h))·Wo` (Vaswani et al. 2017, §3.2.2).
 *
 * Shapes: x [B, L, E], memory [B, S, memoryWidth] → [B, L, E].
 * Errors: ShapeError for sizes that do not divide, StateError for an option that layer and call both give.
 *
 * @example
 * const mechanisms = [{ mask: causal(), softcap: 30 }, new TalkingHeads(heads)];
 * const layer = new MultiHeadAttention({ width, heads, mechanisms }, random);
 */
export class MultiHeadAttention extends Module {
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly out: Linear;
  readonly mechanisms: readonly Mechanism[];
  readonly #heads: number;
  readonly #keyValueHeads: number;
  readonly #dropoutRate: number;

  constructor(options: MultiHeadAttentionOptions, random: RandomStream) {
    super();
    const { width, heads, keyValueHeads = heads, dropout = 0, bias = true, memoryWidth = width } = options;
    const { headWidth = width / heads, valueWidth = headWidth, mechanisms = [] } = options;
    if (!(heads > 0) || !Number.isInteger(headWidth) || heads % keyValueHeads !== 0) {
      throw new ShapeError(
        `MultiHeadAttention: expected width a multiple of heads and heads of keyValueHeads, got ${width}, ${heads}, ${keyValueHeads}`,
      );
    }
    this.#heads = heads;
    this.#keyValueHeads = keyValueHeads;
    this.#dropoutRate = dropout;
    this.q = new Linear(width, heads * headWidth, random, { bias });
    this.k = new Linear(memoryWidth, keyValueHeads * headWidth, random, { bias });
    this.v = new Linear(memoryWidth, keyValueHeads * valueWidth, random, { bias });
    this.out = new Linear(heads * valueWidth, width, random, { bias });
    this.mechanisms = mechanisms;
  }

  /** Query heads H. */
  get heads(): number {
    return this.#heads;
  }

  forward(x: Tensor, context: Context, { memory, cache, ...inputs }: MultiHeadAttentionInputs = {}): Tensor {
    cache?.claim(this);
    const { k: keys, v } = memory === undefined || memory instanceof Tensor ? this.project(memory ?? x) : memory; // [B, G, S, D]
    const { q, k } = this.#prepared({ q: splitHeads(this.q.forward(x), this.#heads), k: keys }, cache); // [B, H, L, D]
    const options = mergedOptions([...this.mechanisms, inputs]);
    const capture = context.captures?.wants(this);
    const call = { ...options, cache, dropout: this.#dropout(context), record: capture };
    const { out, lse, record } = attention(q, k, v, call);
    const seen = context.captures?.stages?.(this, { ...options, q, k, v, out, lse }) ?? out;
    if (record) context.captures?.take(this, memory === undefined ? 'self' : 'cross', record);
    return this.out.forward(joinHeads(seen)); // [B, L, E]
  }

  /** Keys and values of a memory [B, S, memoryWidth], to be used as `memory` again and again. */
  project(memory: Tensor): KeysAndValues {
    const heads = this.#keyValueHeads;
    return { k: splitHeads(this.k.forward(memory), heads), v: splitHeads(this.v.forward(memory), heads) };
  }

  #prepared(heads: QueriesAndKeys, cache: AttentionCache | undefined): QueriesAndKeys {
    const past = cache && cache.length > 0 ? cache.lengths : new Array<number>(heads.q.shape[0] as number).fill(0);
    const active = this.mechanisms.filter(isActive);
    return active.reduce((prepared, mechanism) => mechanism.prepare?.(prepared, past) ?? prepared, heads);
  }

  #dropout(context: Context): AttentionDropout | undefined {
    const rate = this.#dropoutRate;
    return context.training && rate > 0 ? { rate, seed: context.random.uint32() } : undefined;
  }
}

/** [B, L, H·D] → [B, H, L, D], a view. */
function splitHeads(x: Tensor, heads: number): Tensor {
  const [B, L, width] = x.shape as [number, number, number];
  return permute(reshape(x, [B, L, heads, width / heads]), [0, 2, 1, 3]);
}

/** [B, H, L, D] → [B, L, H·D]; free of copies, because attention lays `out` out as [B, L, H, D]. */
function joinHeads(x: Tensor): Tensor {
  const [B, H, L, D] = x.shape as [number, number, number, number];
  return reshape(permute(x, [0, 2, 1, 3]), [B, L, H * D]);
}
