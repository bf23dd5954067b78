/**
 * One attention call in all its forms, so that the same pairs worded in two ways can be compared: forward, gradients, the
 * record, peek and received; and the explicit formulation of it. Used by attention.test.ts.
 */

import {
  type AttentionOptions,
  applyAttentionWeights,
  attention,
  attentionReceived,
  booleanMask,
  computeAttentionWeights,
  type Mask,
  peek,
} from '../../src/attention/index.js';
import type { MaskSizes } from '../../src/attention/maskPredicate.js';
import type { Backend } from '../../src/backend/contract.js';
import { RandomStream } from '../../src/core/random.js';
import { type AttentionRecord, statisticNames } from '../../src/core/records.js';
import { sizeOf } from '../../src/core/shape.js';
import { backward } from '../../src/tensor/autograd.js';
import { tensor } from '../../src/tensor/create.js';
import { multiply } from '../../src/tensor/elementwise.js';
import { sum } from '../../src/tensor/reduce.js';
import { scope } from '../../src/tensor/scope.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { Definition } from './definitions.js';

export interface Sizes extends MaskSizes {
  readonly G: number;
  readonly D: number;
}

export type Results = Readonly<Record<string, Float64Array>>;

interface Inputs {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  /** What the loss weighs the output by. */
  readonly r: Tensor;
}

/** The same normal numbers on every backend. */
function inputsOf({ B, H, G, L, S, D }: Sizes, seed: number, backend: Backend): Inputs {
  const random = new RandomStream(seed);
  const normal = (shape: readonly number[], requiresGrad: boolean): Tensor =>
    tensor(
      Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
      shape,
      { backend, requiresGrad },
    );
  const [q, k, v] = [normal([B, H, L, D], true), normal([B, G, S, D], true), normal([B, G, S, D], true)];
  return { q, k, v, r: normal([B, H, L, D], false) };
}

/** The pairs of a definition as a boolean tensor. */
export function pairsMask({ B, H, L, S, offset }: Sizes, allows: Definition, backend: Backend): Mask {
  const values = Uint8Array.from({ length: B * H * L * S }, (_, index) => {
    const [row, j] = [Math.floor(index / S), index % S];
    return Number(allows(Math.floor(row / L / H), Math.floor(row / L) % H, (row % L) + offset, j));
  });
  return booleanMask(tensor(values, [B, H, L, S], { dtype: 'u8', backend }));
}

const numbers = (x: Tensor | undefined): Float64Array => Float64Array.from(x?.toArray() ?? []);

function gradientsOf(out: Tensor, { q, k, v, r }: Inputs): Results {
  backward(sum(multiply(out, r)));
  return { dq: numbers(q.grad), dk: numbers(k.grad), dv: numbers(v.grad) };
}

/** out, lse and gradients of the fused call, and with `record` all that can be recorded. */
export function fused(sizes: Sizes, seed: number, mask: Mask, backend: Backend, record = false): Results {
  return scope(() => {
    const inputs = inputsOf(sizes, seed, backend);
    const options: AttentionOptions = { mask, offset: sizes.offset };
    const kept = { topK: 3, received: true, tiles: 5, zeroKeys: true } as const;
    const { q, k, v } = inputs;
    const call = attention(q, k, v, { ...options, ...(record && { record: kept }) });
    const result = { out: numbers(call.out), lse: numbers(call.lse), ...gradientsOf(call.out, inputs) };
    return { ...result, ...(call.record && recorded(call.record.read())) };
  });
}

function recorded({ statistics, received, tiles, top, zeroKeys }: AttentionRecord): Results {
  const copy = (values: ArrayLike<number> | undefined): Float64Array => Float64Array.from(values ?? []);
  return {
    ...Object.fromEntries(statisticNames.map((name) => [name, copy(statistics[name])])),
    ...{ received: copy(received), tiles: copy(tiles?.values), topWeights: copy(top?.weights) },
    zeroKeys: copy(zeroKeys),
  };
}

/** What can be asked afterwards: the weights, and what every key received. */
export function lookedAt(sizes: Sizes, seed: number, mask: Mask, backend: Backend): Results {
  return scope(() => {
    const { q, k, v } = inputsOf(sizes, seed, backend);
    const options = { mask, offset: sizes.offset };
    const { lse } = attention(q, k, v, options);
    const source = { q, k, lse, ...options };
    return { weights: numbers(peek(source)), receivedAfter: numbers(attentionReceived(source)) };
  });
}

/** The explicit formulation: the whole weight matrix and its products. */
export function explicit(sizes: Sizes, seed: number, mask: Mask, backend: Backend): Results {
  return scope(() => {
    const inputs = inputsOf(sizes, seed, backend);
    const weights = computeAttentionWeights(inputs.q, inputs.k, { mask, offset: sizes.offset });
    const out = applyAttentionWeights(weights, inputs.v);
    return { weights: numbers(weights), out: numbers(out), ...gradientsOf(out, inputs) };
  });
}
