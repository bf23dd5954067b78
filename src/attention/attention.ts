/**
 * The one attention call: every mechanism goes through here, and every answer may carry a record of what attention did.
 *
 * Above, the call is checked and worded for the kernel (how: operands.ts); below, it is an operation with a gradient:
 * forward keeps only lse, backward recomputes the weights from it. Next: ../backend/contract.ts for what the kernels
 * compute.
 */

import { ShapeError, StateError } from '../core/errors.js';
import { type StatisticName, statisticNames } from '../core/records.js';
import { formatShape } from '../core/shape.js';
import { sumToShape } from '../tensor/broadcast.js';
import { add } from '../tensor/elementwise.js';
import { matmul } from '../tensor/linearAlgebra.js';
import { defineOperation, type Saved } from '../tensor/operation.js';
import { allocate, type Tensor } from '../tensor/tensor.js';
import { expand, permute, select } from '../tensor/views.js';
import { attendInParts, fitsParts } from './attendInParts.js';
import type { Held } from './attentionCache.js';
import { explicitAttention } from './explicitAttention.js';
import { and } from './mask.js';
import { type AttentionSizes, attentionSizes, maskOperands, type ScoreScalars, scoreScalars } from './operands.js';
import { type AttentionOptions, checkOptions } from './options.js';
import { peek } from './peek.js';
import { differentiableStatistics, Recording } from './recording.js';
import { allocateRecord, type KernelRecord, recordOperands } from './recordOperands.js';
import { biasOperands, spreadRelative } from './relativeBias.js';
import { scoreOperands } from './scoreMod/program.js';

export interface AttentionResult {
  /** [B, H, L, Dv], laid out in memory as [B, L, H, Dv] so that joining the heads copies nothing. */
  readonly out: Tensor;
  /** Natural logarithm of the softmax denominator [B, H, L]; -Infinity for a fully masked row. Differentiable. */
  readonly lse: Tensor;
  /** Present when asked for. `record.read()` gives plain data. */
  readonly record?: Recording | undefined;
}

/**
 * Scaled dot-product attention: `out_i = Σ_j p_ij·v_j`, `p_i = softmax_j(scoreMod(softcap(scale·q_i·k_j)) + bias_ij)` over the keys
 * that the mask allows; `sinks` take part in the softmax and have no value.
 *
 * Shapes: q [B, H, L, D], k [B, G, S, D], v [B, G, S, Dv]; H a multiple of G (query head h reads key head
 * `floor(h / (H/G))`). Cross-attention is S ≠ L. A fully masked row gives zeros. Memory: O(L), never L×S.
 * Numerics: max abs error ≤ 2e-6 on N(0,1) inputs; `record` changes no bit of `out`, `lse` or the gradients.
 * Gradients: a loss may use `out`, `lse` and the statistics of `differentiableStatistics`, through `record.tensor(name)`.
 * Errors: ShapeError for sizes that do not fit, StateError for an unknown option.
 * Source: Vaswani et al. 2017, eq. 1; fused after Dao et al. 2022 (FlashAttention), online softmax of Milakov and
 * Gimelshein 2018.
 *
 * @example
 * const { out, record } = attention(q, k, v, { mask: causal(), record: { statistics: true } });
 * const { entropyNats } = record.read().statistics; // [B, H, L]
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions & { readonly record: NonNullable<AttentionOptions['record']> },
): AttentionResult & { readonly record: Recording };
export function attention(q: Tensor, k: Tensor, v: Tensor, options?: AttentionOptions): AttentionResult;
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): AttentionResult {
  checkOptions(options);
  attentionSizes('attention', q, k, v);
  const { cache, ...rest } = options;
  if (cache?.appendInParts && fitsParts(options))
    return attendInParts(q, cache.appendInParts(k, v), (query, { k, v, offset }) =>
      attention(query, k, v, { ...rest, offset }),
    );
  const held: Held = cache ? cache.append(k, v) : { k, v };
  const past = cache ? (held.k.shape[2] as number) - (k.shape[2] as number) : 0;
  const masks = [rest.mask, held.mask].flatMap((part) => part ?? []);
  const call = { ...rest, mask: masks.length > 1 ? and(...masks) : masks[0], offset: options.offset ?? past };

  const { normaliser } = call;
  if (normaliser) return explicitAttention(q, held.k, held.v, { ...call, normaliser });

  const sizes = attentionSizes('attention', q, held.k, held.v);
  const { sinks } = call;
  if (sinks && sinks.shape.join() !== `${sizes.H}`)
    throw new ShapeError(`attention: expected sinks [H] = [${sizes.H}], got ${formatShape(sinks.shape)}`);
  const { scale, offset } = scoreScalars(sizes, call);
  const { bias, relative, reach, values } = biasOperands('attention', { sizes, q, scale, offset }, call.bias);
  const { mask, lengths, blocks, patterns } = maskOperands('attention', sizes, q, { ...call, bias });
  const { rate = 0, seed = 0, stream = 0 } = call.dropout ?? {};
  const scalars = { ...scoreScalars(sizes, call, reach), dropoutRate: rate, seed, stream };
  const { record } = call;
  const { set, window } = recordOperands(sizes, record);
  const { program, captured } = scoreOperands(call.scoreMod, sizes, scalars.offset, q);
  const kept = allocateRecord(q, sizes, record);
  const inputs: FusedInputs = [
    ...([q, held.k, held.v, bias, mask, lengths, set] as const),
    ...([blocks, patterns, program, captured, relative, sinks] as const),
  ];
  const fusedOptions = { sizes, scalars: { ...scalars, window }, kept, withMass: values !== undefined };
  const [own, lse, ...more] = fused(inputs, fusedOptions);
  const statistics = values ? more.slice(0, -1) : more;
  const out = values ? add(own, matmul(more.at(-1) as Tensor, values)) : own;

  if (!record) return { out, lse };
  const rows = record.rows === 'all' ? Array.from({ length: sizes.L }, (_, i) => i) : record.rows;
  const weights = rows && { rows, weights: peek({ q, k: held.k, lse, ...call }, { rows }) };
  return { out, lse, record: new Recording(sizes, lse, { ...kept, statistics }, weights) };
}

interface FusedOptions {
  readonly sizes: AttentionSizes;
  readonly scalars: ScoreScalars & Readonly<Record<'dropoutRate' | 'seed' | 'stream' | 'window', number>>;
  /** Where the kernel writes what is recorded. */
  readonly kept: KernelRecord;
  /** Whether the weight of each column of the bias by distance is wanted. */
  readonly withMass: boolean;
}

type Optional = Tensor | undefined;
/**
 * q, k, v, then bias [B, H, L, S], mask u8 [B, H, L, S], lengths i32 [B], the record's set of keys u8 [B, S], the mask's
 * blocks, a score program i32 [I, 4] and the values that it captured [K], the bias by distance [·, ·, ·, R] and sinks [H].
 */
type FusedInputs = readonly [
  ...[Tensor, Tensor, Tensor],
  ...[Optional, Optional, Optional, Optional],
  ...[blocks: Optional, patterns: Optional],
  ...[program: Optional, captured: Optional],
  ...[relative: Optional, sinks: Optional],
];
/**
 * out [B, H, L, Dv], lse [B, H, L], then every statistic [B, H, L] in the order of their names, or none, then the weight by
 * distance [B, H, L, R], or none.
 */
type FusedOutputs = readonly [Tensor, Tensor, ...Tensor[]];

const fused = defineOperation<FusedInputs, FusedOutputs, Saved, FusedOptions>({
  name: 'attention',

  forward(inputs, { sizes, scalars, kept, withMass }) {
    const [q, k, v, bias, mask, lengths, set, blocks, patterns, program, captured, table, sinks] = inputs;
    const { B, H, L, Dv } = sizes;
    const relative = spreadRelative(table, sizes);
    const mass = relative && withMass ? allocate(q.backend, 'f32', relative.shape) : undefined;
    const out = headsLast([B, H, L, Dv], q);
    const lse = allocate(q.backend, 'f32', [B, H, L]);
    const masks = { mask, bias, lengths, set, blocks, patterns, program, captured, relative, sinks };
    q.backend.run('attention_forward_f32', { out, lse, ...kept, relativeMass: mass, q, k, v, ...masks }, scalars);
    const { statistics } = kept;
    const each = statistics ? statisticNames.map((_, at) => select(statistics, 0, at)) : [];
    return { outputs: [out, lse, ...each, ...(mass ? [mass] : [])], saved: { ...(statistics && { statistics }) } };
  },

  backward({ inputs, outputs: [out, lse, ...rest], saved, options, needs }, gradients) {
    const [q, k, v, bias, mask, lengths, set, blocks, patterns, program, captured, table, sinks] = inputs;
    const [dout = repeatedZero(out), dlse, ...more] = gradients;
    const others = options.withMass ? more.slice(0, -1) : more;
    const drelativeMass = options.withMass ? more.at(-1) : undefined;
    const dstatistics = statisticGradients(q, others);
    const statistics = dstatistics && saved.statistics;
    const [dq, dk, dv] = [headsLast(q.shape, q), headsLast(k.shape, k), headsLast(v.shape, v)];
    const dbias = bias && needs[3] ? allocate(q.backend, 'f32', bias.shape) : undefined;
    const relative = spreadRelative(table, options.sizes);
    const dcaptured = captured && needs[10] ? allocate(q.backend, 'f32', captured.shape) : undefined;
    const drelative = table && needs[11] ? relativeGradient(table, options.sizes) : undefined;
    const dsinks = sinks && needs[12] ? allocate(q.backend, 'f32', sinks.shape) : undefined;
    const sums = { dq, dk, dv, dbias, dcaptured, drelative, dsinks };
    const results = { ...sums, dout, out, lse, dlse, dstatistics, statistics };
    const masks = { mask, bias, lengths, set, blocks, patterns, program, captured, relative, sinks };
    const weights = { relativeMass: drelativeMass && rest.at(-1), drelativeMass };
    q.backend.run('attention_backward_f32', { ...results, q, k, v, ...masks, ...weights }, options.scalars);
    const dtable = drelative && sumToShape(drelative, (table as Tensor).shape);
    const none = undefined;
    return [dq, dk, dv, dbias, none, none, none, none, none, none, dcaptured, dtable, dsinks];
  },
});

/** Room for the gradient of a bias by distance: one row a head where all queries share it, else one a query. */
function relativeGradient(table: Tensor, { B, H, L }: AttentionSizes): Tensor {
  const [, , rows, R] = table.shape as [number, number, number, number];
  return allocate(table.backend, 'f32', [B, H, rows === 1 ? 1 : L, R]);
}

/** The gradients of statistics in the kernel's order, zeros where there is none; undefined when there are none at all. */
function statisticGradients(q: Tensor, gradients: readonly (Tensor | undefined)[]): Tensor | undefined {
  if (gradients.every((gradient) => gradient === undefined)) return undefined;
  const [B, H, L] = q.shape as [number, number, number, number];
  const all = allocate(q.backend, 'f32', [statisticNames.length, B, H, L]);
  for (const [at, name] of statisticNames.entries()) {
    const [out, a] = [select(all, 0, at), gradients[at]];
    if (a && !differentiableStatistics.has(name)) throw notDifferentiable(name);
    if (a) q.backend.run('copy_f32', { out, a }, {});
    else q.backend.run('fill_f32', { out }, { value: 0 });
  }
  return all;
}

function notDifferentiable(name: StatisticName): StateError {
  const known = [...differentiableStatistics].join(', ');
  return new StateError(`attention: expected a loss on out, lse, ${known}, got one on ${name}, which has no gradient`);
}

/** A zero in the shape of `like`, for a loss that `out` has no part in. */
function repeatedZero(like: Tensor): Tensor {
  const zero = allocate(like.backend, 'f32', [1, 1, 1, 1]);
  like.backend.run('fill_f32', { out: zero }, { value: 0 });
  return expand(zero, like.shape);
}

/** Uninitialised [B, H, L, D] whose memory is [B, L, H, D], the layout that projections read and write. */
function headsLast(shape: readonly number[], like: Tensor): Tensor {
  const [B, H, L, D] = shape as readonly [number, number, number, number];
  return permute(allocate(like.backend, 'f32', [B, L, H, D]), [0, 2, 1, 3]);
}
