/**
 * Multi-head attention: projections around the one attention call. Self-attention when no memory is given,
 * cross-attention otherwise. Next: ../attention/attention.ts.
 */

import { attention } from '../attention/attention.js';
import type { KeyValueCache } from '../attention/cache.js';
import type { Mask } from '../attention/mask.js';
import type { AttentionDropout } from '../attention/options.js';
import type { AttentionBias } from '../attention/relativeBias.js';
import { type RotaryOptions, rope } from '../attention/rotary.js';
import type { ScoreProgram } from '../attention/scoreMod/program.js';
import { ShapeError } from '../core/errors.js';
import type { RandomStream } from '../core/random.js';
import { Tensor } from '../tensor/tensor.js';
import { permute, reshape } from '../tensor/views.js';
import type { Context } from './context.js';
import { zeroParameter } from './initialise.js';
import { Linear } from './linear.js';
import { Module } from './module.js';
import { QueryKeyNorm } from './queryKeyNorm.js';

export interface MultiHeadAttentionOptions {
  /** Model width E. */
  readonly width: number;
  /** Query heads H; E must be a multiple. */
  readonly heads: number;
  /** Key/value heads G; H must be a multiple. Default H (grouped-query attention: Ainslie et al. 2023). */
  readonly keyValueHeads?: number;
  /** Dropout on the attention weights while training. Default 0. */
  readonly dropout?: number;
  /** Biases of the four projections. Default true. */
  readonly bias?: boolean;
  /** A learned logit a head that takes weight and has no value (GPT-OSS, 2025). Default false. */
  readonly sinks?: boolean;
  /** RMS norm of queries and keys (Dehghani et al. 2023). Default false. */
  readonly queryKeyNorm?: boolean;
  /** Rotary positions of queries and keys in self-attention; a cache's length is the offset. Default none. */
  readonly rotary?: Omit<RotaryOptions, 'offset' | 'positions'>;
}

/** What a call needs of the options. */
interface Shape {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly dropout: number;
  readonly rotary: MultiHeadAttentionOptions['rotary'];
}

/** Keys [B, G, S, D] and values [B, G, S, D], projected and split. */
export interface KeysAndValues {
  readonly k: Tensor;
  readonly v: Tensor;
}

/** What may differ from call to call. */
export interface MultiHeadAttentionInputs {
  /** Sequence to attend to: [B, S, E], or its projection when it serves many calls. Default x itself. */
  readonly memory?: Tensor | KeysAndValues | undefined;
  readonly mask?: Mask | undefined;
  /** Additive scores broadcastable to [B, H, L, S], or a bias by distance. */
  readonly bias?: AttentionBias | undefined;
  /** A formula on scores; see ../attention/scoreMod/scoreMod.ts. */
  readonly scoreMod?: ScoreProgram | undefined;
  /** Keys and values of earlier steps; see ../attention/cache.ts. */
  readonly cache?: KeyValueCache | undefined;
}

/**
 * `concat_h(attention(x·Wq_h, m·Wk_h, m·Wv_h))·Wo` (Vaswani et al. 2017, §3.2.2).
 *
 * Shapes: x [B, L, E], memory [B, S, E] → [B, L, E].
 */
export class MultiHeadAttention extends Module {
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly out: Linear;
  readonly sinks: Tensor | undefined;
  readonly norm: QueryKeyNorm | undefined;
  readonly #options: Shape;

  constructor(options: MultiHeadAttentionOptions, random: RandomStream) {
    super();
    const { width, heads, keyValueHeads = heads, dropout = 0, bias = true } = options;
    if (!(heads > 0) || width % heads !== 0 || heads % keyValueHeads !== 0) {
      throw new ShapeError(
        `MultiHeadAttention: expected width a multiple of heads and heads of keyValueHeads, got ${width}, ${heads}, ${keyValueHeads}`,
      );
    }
    this.#options = { heads, keyValueHeads, dropout, rotary: options.rotary };
    const shared = (width / heads) * keyValueHeads;
    this.q = new Linear(width, width, random, { bias });
    this.k = new Linear(width, shared, random, { bias });
    this.v = new Linear(width, shared, random, { bias });
    this.out = new Linear(width, width, random, { bias });
    this.sinks = options.sinks ? zeroParameter([heads]) : undefined;
    this.norm = options.queryKeyNorm ? new QueryKeyNorm(width / heads) : undefined;
  }

  /** Query heads H. */
  get heads(): number {
    return this.#options.heads;
  }

  forward(x: Tensor, context: Context, { memory, ...inputs }: MultiHeadAttentionInputs = {}): Tensor {
    const asked = splitHeads(this.q.forward(x), this.#options.heads); // [B, H, L, D]
    const { k: held, v } = memory === undefined || memory instanceof Tensor ? this.project(memory ?? x) : memory; // [B, G, S, D]
    const normed = this.norm?.forward(asked, held) ?? ([asked, held] as const);
    const [q, k] = memory === undefined ? this.#placed(normed, inputs.cache) : normed;
    const capture = context.captures?.wants(this);
    const options = { ...inputs, sinks: this.sinks, dropout: this.#dropout(context) };
    const { out, lse, record } = attention(q, k, v, { ...options, record: capture });
    const seen = context.captures?.stages?.(this, { ...inputs, q, k, v, out, lse }) ?? out;
    if (record) context.captures?.take(this, memory === undefined ? 'self' : 'cross', record);
    return this.out.forward(joinHeads(seen)); // [B, L, E]
  }

  /** Keys and values of a memory [B, S, E], to be used as `memory` again and again. */
  project(memory: Tensor): KeysAndValues {
    const heads = this.#options.keyValueHeads;
    return { k: splitHeads(this.k.forward(memory), heads), v: splitHeads(this.v.forward(memory), heads) };
  }

  /** Queries and keys turned by their positions, if this module has rotary ones. */
  #placed([q, k]: readonly [Tensor, Tensor], cache?: KeyValueCache): readonly [Tensor, Tensor] {
    const { rotary } = this.#options;
    return rotary ? rope(q, k, { ...rotary, offset: cache?.length ?? 0 }) : [q, k];
  }

  #dropout(context: Context): AttentionDropout | undefined {
    const rate = this.#options.dropout;
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
