/**
 * Linear attention: the softmax is replaced by a product of feature maps, so the keys and values of the past fit in one
 * matrix and the cost grows with L, not L². Its own function, since nothing of the score machinery applies: no scale, no
 * bias, no score masks. Next: attention.ts for attention proper.
 */

import { ShapeError } from '../core/errors.js';
import { formatShape, sameShape } from '../core/shape.js';
import { full, tensor, zeros } from '../tensor/create.js';
import { add, divide, exp, log, maximum, minimum, relu, where } from '../tensor/elementwise.js';
import { concat, split } from '../tensor/join.js';
import { matmul } from '../tensor/linearAlgebra.js';
import { noGrad } from '../tensor/recording.js';
import { sum } from '../tensor/reduce.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { expand, reshape, slice, squeeze, transpose } from '../tensor/views.js';
import { type AttentionSizes, attentionSizes } from './operands.js';
import type { RecordOptions } from './options.js';
import type { Recording } from './recording.js';
import { recordWeights } from './weightsRecord.js';

/** φ: q or k [..., D] → features [..., D']. A function of your own should not be negative when `normalise` is on. */
export type FeatureMap = 'elu' | 'relu' | 'identity' | ((x: Tensor) => Tensor);

export interface LinearAttentionOptions {
  /** Default `elu`, which is elu(x) + 1 (Katharopoulos et al. 2020, eq. 7). */
  readonly features?: FeatureMap;
  /** No key after the query's own position; L must equal S. Default false. */
  readonly causal?: boolean;
  /** Divides by `Σ_j φ(q_i)·φ(k_j)`. Default true, but false for `identity`, whose sums may be 0 or negative. */
  readonly normalise?: boolean;
  /** Valid keys per sequence [B]; the others never influence anything. Default all. */
  readonly lengths?: readonly number[] | undefined;
  /** What earlier calls returned as `state`: these keys come before k. */
  readonly state?: Tensor | undefined;
  /** Positions that the causal form takes at once. Default 64. */
  readonly chunk?: number;
  /** Makes the weights of this call beside the result, in O(L·S) memory; only with `normalise` and without `state`. */
  readonly record?: RecordOptions | undefined;
}

export interface LinearAttentionResult {
  /** [B, H, L, Dv] */
  readonly out: Tensor;
  /** `Σ_j φ(k_j)·[v_j, 1]ᵀ` over all keys so far [B, G, D', Dv + 1], for the next call's `state`. Differentiable. */
  readonly state: Tensor;
  readonly record?: Recording | undefined;
}

/**
 * `out_i = φ(q_i)·Σ_j φ(k_j)·v_jᵀ / φ(q_i)·Σ_j φ(k_j)`, over all keys or, causal, over those with j <= i.
 *
 * Shapes: q [B, H, L, D], k [B, G, S, D], v [B, G, S, Dv]; H a multiple of G. A row whose sum is 0 gives zeros.
 * Memory: O(L·(chunk + D')) causal, O(L·D') otherwise. Time: O(L·D'·Dv). Decoding a token costs O(D'·Dv), whatever came before.
 * Errors: ShapeError for sizes that do not fit. Source: Katharopoulos et al. 2020, eq. 4–12; chunks: Hua et al. 2022, §3.
 *
 * @example
 * let { out, state } = linearAttention(q, k, v, { causal: true });
 * ({ out, state } = linearAttention(nextQ, nextK, nextV, { causal: true, state })); // decoding
 */
export function linearAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: LinearAttentionOptions = {},
): LinearAttentionResult {
  const sizes = checkCall(q, k, v, options);
  return scope(() => {
    const call = prepared(q, k, v, sizes, options);
    const { out, state } = options.causal ? causalSums(call, options.chunk ?? 64) : allSums(call);
    const Dv = sizes.Dv;
    const values = slice(out, 3, 0, Dv);
    const normalised = normalises(options) ? divide(values, maximum(slice(out, 3, Dv), least)) : values;
    return {
      out: reshape(normalised, [sizes.B, sizes.H, sizes.L, Dv]),
      state: reshape(state, [sizes.B, sizes.G, state.shape[2] as number, Dv + 1]),
      record: options.record && noGrad(() => recorded(call, sizes, options, options.record as RecordOptions)),
    };
  });
}

/** Below every sum of features that float32 can tell from 0; a sum of 0 has a numerator of 0. */
const least = 1e-37;

/** Features and values with batch and key heads as one axis, and the query heads that share them as the next. */
interface Prepared {
  /** [B·G, H/G, L, D'] */
  readonly queries: Tensor;
  /** [B·G, 1, S, D'] */
  readonly keys: Tensor;
  /** The values with a column of ones, which sums up the denominator: [B·G, 1, S, Dv + 1]. */
  readonly values: Tensor;
  /** [B·G, 1, D', Dv + 1] */
  readonly state: Tensor;
}

function prepared(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  sizes: AttentionSizes,
  { features = 'elu', lengths, state }: LinearAttentionOptions,
): Prepared {
  const { B, H, G, L, S, Dv } = sizes;
  const phi = featureMap(features);
  const valid = lengths && validKeys(lengths, sizes, q);
  const hide = (x: Tensor): Tensor => (valid ? where(valid, x, 0) : x);
  const keys = hide(phi(hide(k))); // [B, G, S, D']
  const width = keys.shape[3] as number;
  const one = expand(full([1, 1, 1, 1], 1, { backend: q.backend }), [B, G, S, 1]);
  return {
    queries: reshape(phi(q), [B * G, H / G, L, width]),
    keys: reshape(keys, [B * G, 1, S, width]),
    values: reshape(concat([hide(v), one], 3), [B * G, 1, S, Dv + 1]),
    state: reshape(checkedState(state, [B, G, width, Dv + 1], q), [B * G, 1, width, Dv + 1]),
  };
}

interface Sums {
  /** [B·G, H/G, L, Dv + 1] */
  readonly out: Tensor;
  readonly state: Tensor;
}

function allSums({ queries, keys, values, state }: Prepared): Sums {
  const total = add(state, matmul(transpose(keys), values));
  return { out: matmul(queries, total), state: total };
}

/** A chunk at a time: the past through the state, the chunk itself through its small triangle. */
function causalSums({ queries, keys, values, state }: Prepared, chunk: number): Sums {
  const L = queries.shape[2] as number;
  if (L === 0) return { out: matmul(queries, state), state: add(state, 0) };
  const parts = chunkSizes(L, chunk);
  const [q, k, v] = [queries, keys, values].map((x) => split(x, parts, 2)) as [Parts, Parts, Parts];
  let before = state;
  const outs = parts.map((size, at) => {
    const [qc, kc, vc] = [q[at], k[at], v[at]] as [Tensor, Tensor, Tensor];
    const inside = where(triangle(size, qc), matmul(qc, transpose(kc)), 0); // [B·G, H/G, C, C]
    const out = add(matmul(inside, vc), matmul(qc, before));
    before = add(before, matmul(transpose(kc), vc));
    return out;
  });
  return { out: concat(outs, 2), state: before };
}

type Parts = readonly Tensor[];

function chunkSizes(length: number, chunk: number): readonly number[] {
  return Array.from({ length: Math.ceil(length / chunk) }, (_, at) => Math.min(chunk, length - at * chunk));
}

/** 1 where j <= i: u8 [size, size]. */
function triangle(size: number, like: Tensor): Tensor {
  const values = Uint8Array.from({ length: size * size }, (_, at) => Number(at % size <= Math.floor(at / size)));
  return tensor(values, [size, size], { dtype: 'u8', backend: like.backend });
}

function featureMap(features: FeatureMap): (x: Tensor) => Tensor {
  if (typeof features === 'function') return features;
  switch (features) {
    case 'elu':
      return (x) => add(exp(minimum(0, x)), relu(x)); // e^x below 0, x + 1 above; minimum's gradient at 0 is that of x
    case 'relu':
      return relu;
    case 'identity':
      return (x) => add(x, 0);
  }
}

function normalises({ normalise, features }: LinearAttentionOptions): boolean {
  return normalise ?? features !== 'identity';
}

function validKeys(lengths: readonly number[], { B, S }: AttentionSizes, like: Tensor): Tensor {
  const values = Uint8Array.from({ length: B * S }, (_, at) =>
    Number(at % S < (lengths[Math.floor(at / S)] as number)),
  );
  return tensor(values, [B, 1, S, 1], { dtype: 'u8', backend: like.backend });
}

/** The same weights one by one: they are a softmax of `ln φ(q)·φ(k)`, so the record's names keep their meaning. */
function recorded(
  { queries, keys }: Prepared,
  sizes: AttentionSizes,
  { causal, lengths }: LinearAttentionOptions,
  record: RecordOptions,
): Recording {
  const { B, H, L, S } = sizes;
  const valid = lengths && transpose(validKeys(lengths, sizes, keys)); // [B, 1, 1, S]
  const early = causal ? triangle(L, queries) : undefined; // [L, S]
  const hide = (x: Tensor, value: number): Tensor =>
    [valid, early].reduce((shown: Tensor, allowed) => (allowed ? where(allowed, shown, value) : shown), x);
  const products = reshape(matmul(queries, transpose(keys)), [B, H, L, S]);
  const shown = hide(products, 0);
  const total = sum(shown, -1, true); // [B, H, L, 1]
  const weights = divide(shown, maximum(total, least));
  const scores = hide(log(maximum(products, least)), -Infinity);
  return recordWeights({ sizes, scores, weights, lse: squeeze(log(total), 3), offset: 0 }, record);
}

function checkedState(state: Tensor | undefined, shape: readonly number[], like: Tensor): Tensor {
  if (state === undefined) return zeros(shape, { backend: like.backend });
  if (sameShape(state.shape, shape)) return state;
  throw new ShapeError(
    `linearAttention: expected state [B, G, D', Dv + 1] = ${formatShape(shape)}, got ${formatShape(state.shape)}; pass what a call of the same model returned`,
  );
}

const optionNames = new Set(['features', 'causal', 'normalise', 'lengths', 'state', 'chunk', 'record']);

function checkCall(q: Tensor, k: Tensor, v: Tensor, options: LinearAttentionOptions): AttentionSizes {
  const sizes = attentionSizes('linearAttention', q, k, v);
  const { causal, lengths, chunk, record, state } = options;
  const requireThat = (condition: boolean, expected: string, got: unknown): void => {
    if (!condition) throw new ShapeError(`linearAttention: expected ${expected}, got ${String(got)}`);
  };
  for (const name of Object.keys(options))
    requireThat(optionNames.has(name), `one of ${[...optionNames].join(', ')}`, name);
  requireThat(!causal || sizes.L === sizes.S, `L = S = ${sizes.S} for the causal form`, sizes.L);
  requireThat(!lengths || lengths.length === sizes.B, `lengths [B] = [${sizes.B}]`, `[${lengths?.length}]`);
  requireThat(chunk === undefined || (Number.isInteger(chunk) && chunk > 0), 'a chunk of at least 1', chunk);
  const visible = !record || (normalises(options) && state === undefined);
  requireThat(visible, 'normalise and no state beside a record', state ? 'a state' : 'normalise off');
  return sizes;
}
