/**
 * The only door to raw memory: what a backend is, and what each kernel computes.
 *
 * The list of kernels lives in `native/kernels.def`; the types below follow from its signature strings. This file is
 * types and words only. Next: `signature.ts` (how a call is checked), then `reference/` (what is true).
 *
 * ## What the kernels compute (letters as in ARCHITECTURE.md; every operand is a strided view)
 *
 * - `fill copy affine unary binary select`: elementwise; `affine` is `scale·a + shift`; `select` takes `a` where the
 *   condition is not 0. `unary_backward` is `dout · f'(a)`. `gelu` is exact: `a·Φ(a)`.
 * - `dropout`: `a / (1 - rate)` where `dropoutKeep(seed, stream, row, column)` holds (dropout.ts), else 0; row 0.
 * - `reduce argmax`: over the middle axis K. `argmax` takes the first of equals.
 * - `softmax` over N; `log` = 1 gives the logarithm. A row of -inf gives zeros (`log`: -inf).
 * - `cross_entropy`: `loss = lse - (1-ε)·x[target] - ε·mean(x)` with ε = `smoothing`; rows whose target equals `ignore`
 *   give loss 0 and gradient 0.
 * - `layer_norm rms_norm`: two passes, biased variance, `rstd = 1/sqrt(var + epsilon)`.
 * - `gather_rows scatter_add_rows`: rows are added in the order of `index`; an index outside [0, V) is an error.
 * - `matmul`: `out = activation(alpha · a·b + bias) + residual`.
 * - `attention_forward`: with `s_ij = program(softcap(scale · q_i·k_j)) + bias_ij + relative_iu` over the allowed keys of row
 *   i, u = min(max(j - (i + offset) + `reach`, 0), U - 1), `lse_i = ln (Σ_j e^{s_ij} + e^{sinks_h})`, `p_ij = e^{s_ij -
 *   lse_i}`, `out_i = Σ_j dropout(p_ij)·v_j`.
 *   Query head h reads key head `floor(h / (H/G))`. `softcap(x) = c·tanh(x/c)` for c > 0, x otherwise.
 *   Key j is allowed for row i when all of these hold: `j <= i + offset + right`, `j >= i + offset - left`,
 *   `j < lengths[b]`, `mask != 0`, `bias != -inf`, `relative != -inf`. `left`, `right` may be Infinity; causal is `right = 0`.
 *   `blocks` and `patterns` (both or none) say more: with R queries and 64 keys a block, `blocks[b, h, floor(i/R),
 *   floor(j/64)]` is -1 (no pair of the block), -2 (all pairs) or n >= 0: those with `patterns[n, i mod R, j mod 64] != 0`.
 *   A row with no allowed key gives out 0, lse -inf, all statistics 0. Forbidden keys never influence anything, even
 *   when they hold NaN. Dropout row of (b, h, i) is `(b·H + h)·L + i`, column is j.
 *   `program` [I, 4], instructions (code, a, b, c) of core/scoreOps.ts, the last of which is the result, sees the pair
 *   (b, h, q, k) = (b, h, i + offset, j), each plus the instruction's a; `lookup` reads `captured` [K] at an index that
 *   is rounded down and held inside [0, K). A result of -inf forbids the key. What depends on positions and constants
 *   alone is rounded to float32 after every instruction.
 *   `statistics`: per row, before dropout, keys = n_i allowed keys; logitMax, logitMin = largest and smallest s; logitMean =
 *   Σ p·s; logitVariance = Σ p·(s - logitMean)²; pMax = max p; entropyNats = -Σ p ln p; squareSum = Σ p²; meanDistance =
 *   Σ p·|d| with d = i + offset - j; windowMass = Σ p where |d| <= `window`; futureMass = Σ p where d < 0; setMass = Σ p
 *   where `set` != 0 (0 without a set); firstMass = p_i0; selfMass, previousMass, nextMass = p where d = 0, 1, -1 (0 where
 *   that key is not allowed).
 *   With `sinks` the weights of a row sum to less than 1: the sink is a key without a value that no statistic counts. The
 *   formulas stay as they are, sums over the keys: entropyNats is the part that the keys contribute, logitMean is Σ p·s
 *   where Σ p < 1, a mass is a share of all weight, the sink's included. A row with no allowed key is as without sinks.
 *   `relativeMass`: Σ_j dropout(p_ij) over the keys whose column is u.
 *   What needs the final lse: `received` = Σ_i p_ij; `tiles` = mean, over the rows with keys in a bin of queries, of Σ p
 *   over a bin of keys, where position x of n lies in bin floor(x·P/n); `topWeights`, `topKeys` (both or none) = the T
 *   largest p > 0 in descending order, the first of equals first, filled up with 0 and -1; `zeroKeys` = number of allowed
 *   keys with p < 1e-6.
 * - `attention_backward`: gradients of `out` with respect to q, k, v, bias, relative and sinks, recomputing p from
 *   `lse`. `drelative` of one row (W = 1) is the sum over the L rows, each with its own column. `drelativeMass`, with the
 *   `relativeMass` that forward wrote, adds the gradient of that. `dlse` and
 *   `dstatistics` (with the `statistics` that forward wrote) add the gradients of `lse` and of the statistics, whose
 *   derivatives with respect to s_ij are: lse p_ij; entropyNats -p_ij·(s_ij - lse_i + entropyNats_i + p_sink); squareSum
 *   2·p_ij·(p_ij - squareSum_i); logitMean p_ij·(1 + s_ij - logitMean_i); meanDistance and masses, which are Σ_j p_ij·f_ij,
 *   p_ij·(f_ij - value_i). `dcaptured` takes the gradient of what the program looks up; a gradient of 0 stays 0 on its
 *   way through the program. The rows of `dstatistics` of all other statistics are not read.
 * - `attention_weights`: `p` itself, from `lse`, for whatever slice of rows and keys the views show; forbidden cells
 *   are exactly 0.
 * - `attention_transposed`: `out_jc = Σ_i p_ij·r_ic`, the weights' transpose times r, from `lse`.
 * - `adamw`: in place; `g = gradient·gradientScale`, decoupled decay, bias correction by `step` (from 1).
 * - `square_sum`: Σ a² accumulated in float64 in a fixed order.
 */

import type { kernelTable } from './kernels.generated.js';

export type DType = 'f32' | 'i32' | 'u8';

/** What `read` returns. Float32 memory reads as Float64Array on a float64 reference backend. */
export type HostArray = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Flat memory owned by one backend. `length` counts elements. */
export interface DeviceBuffer {
  readonly dtype: DType;
  readonly length: number;
}

/** A strided window on a buffer, in elements. */
export interface View {
  readonly buffer: DeviceBuffer;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

type Words<Text extends string> = Text extends `${infer Head} ${infer Rest}` ? Head | Words<Rest> : Text;
type RequiredName<Word extends string> = Word extends `${string}?`
  ? never
  : Word extends `${infer Name}:${string}`
    ? Name
    : never;
type OptionalName<Word extends string> = Word extends `${infer Name}:${string}?` ? Name : never;

export type KernelName = keyof typeof kernelTable;
type OperandWords<K extends KernelName> = Words<(typeof kernelTable)[K]['operands']>;

/** The views that kernel K takes, by name; optional ones may be left out. */
export type Operands<K extends KernelName> = { readonly [Name in RequiredName<OperandWords<K>>]: View } & {
  readonly [Name in OptionalName<OperandWords<K>>]?: View | undefined;
};

/** The numbers that kernel K takes, by name. */
export type Scalars<K extends KernelName> = {
  readonly [Name in Exclude<Words<(typeof kernelTable)[K]['scalars']>, ''>]: number;
};

/** Facts about a loaded backend. */
export interface BackendInfo {
  /** `reference`, `native` or `wasm`. */
  readonly backend: string;
  /** Instruction set that runs: `avx512`, `avx2`, `neon`, `baseline`, `wasm-relaxed`, `wasm-simd`, `typescript`. */
  readonly target: string;
  readonly threads: number;
}

/**
 * A place that holds memory and runs kernels.
 *
 * `alloc` returns uninitialised memory. `read` copies out, `write` copies in. `run` checks every operand (dtype, rank,
 * sizes, that the last index fits, forbidden overlap) before anything is touched, and throws ShapeError, DTypeError or
 * BackendError. Calls are synchronous; results have the same bits for any thread count.
 */
export interface Backend {
  readonly info: BackendInfo;
  alloc(dtype: DType, length: number): DeviceBuffer;
  free(buffer: DeviceBuffer): void;
  read(buffer: DeviceBuffer, offset: number, length: number): HostArray;
  write(buffer: DeviceBuffer, offset: number, values: ArrayLike<number>): void;
  run<K extends KernelName>(kernel: K, operands: Operands<K>, scalars: Scalars<K>): void;
}
