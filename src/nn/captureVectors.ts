/**
 * Queries, keys and lse of one head, read while a model runs: every weight follows from them, so neither a long text nor a
 * look into single dimensions needs the weights themselves. What calls record: capture.ts.
 */

import type { RecordOptions } from '../attention/options.js';
import type { Recording } from '../attention/recording.js';
import { StateError } from '../core/errors.js';
import type { AttentionKind, HeadVectors } from '../core/records.js';
import type { Tensor } from '../tensor/tensor.js';
import { slice } from '../tensor/views.js';
import { type AttentionStages, type CaptureSink, type Context, inference } from './context.js';
import type { Module } from './module.js';
import { MultiHeadAttention } from './multiHeadAttention.js';

export interface VectorOptions {
  /** Path of an attention module. */
  readonly path: string;
  readonly head: number;
  /** Bins of the pooled pattern that is recorded beside them; default none. */
  readonly bins?: number;
}

/** What a head's vectors are, apart from the tokens they stand for. */
export type TokenlessVectors = Omit<HeadVectors, 'rows' | 'columns' | 'causal'>;

/**
 * Runs `forward` once and returns the chosen head's q [L, D], k [S, D] and lse [L] of the first example.
 *
 * Memory: O((L + S)·D + bins²). Errors: StateError for a path or head that does not exist, or a call with a bias, whose
 * weights do not follow from q, k and lse.
 */
export function captureVectors(
  model: Module,
  options: VectorOptions,
  forward: (context: Context) => unknown,
): TokenlessVectors {
  const module = model.modules().get(options.path);
  const { path, head } = options;
  if (!(module instanceof MultiHeadAttention) || !(head >= 0 && head < module.heads)) {
    throw new StateError(`captureVectors: expected an attention module and one of its heads, got ${path} head ${head}`);
  }
  const sink = new VectorSink(module, options);
  forward(inference(sink));
  if (sink.found) return sink.found;
  throw new StateError(`captureVectors: expected forward to run ${path}, got no call of it`);
}

class VectorSink implements CaptureSink {
  found: TokenlessVectors | undefined;
  readonly #module: Module;
  readonly #options: VectorOptions;

  constructor(module: Module, options: VectorOptions) {
    this.#module = module;
    this.#options = options;
  }

  wants(module: Module): RecordOptions | undefined {
    const { bins } = this.#options;
    return module === this.#module ? { ...(bins !== undefined && { tiles: bins }) } : undefined;
  }

  stages(module: Module, { q, k, lse, out, scale, bias }: AttentionStages): Tensor {
    if (module !== this.#module) return out;
    const { path, head } = this.#options;
    if (bias) throw new StateError(`captureVectors: expected a call without bias in ${path}, got one with`);
    const group = Math.floor(head / ((q.shape[1] ?? 1) / (k.shape[1] ?? 1)));
    this.found = {
      ...{ path, kind: 'self', head },
      q: numbersOf(q, head),
      k: numbersOf(k, group),
      lse: numbersOf(lse, head),
      scale: scale ?? 1 / Math.sqrt(q.shape[3] ?? 1),
    };
    return out;
  }

  take(_module: Module, kind: AttentionKind, recording: Recording): void {
    if (!this.found) return;
    const { tiles } = recording.read();
    const start = this.#options.head * (tiles?.bins ?? 0) ** 2;
    const own = tiles && { bins: tiles.bins, values: tiles.values.slice(start, start + tiles.bins ** 2) };
    this.found = { ...this.found, kind, ...(own && { tiles: own }) };
  }
}

/** The numbers of one head of the first example of [B, H, …]. */
function numbersOf(x: Tensor, head: number): Float32Array {
  return Float32Array.from(slice(slice(x, 0, 0, 1), 1, head, head + 1).toArray());
}
