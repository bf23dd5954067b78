/**
 * How much the loss depends on each head, and what the loss or a metric is without it. Nothing of the weights is built or
 * changed: a gate of 1 or 0 stands behind every head's output.
 */

import { type AttentionStages, type CaptureSink, inference } from '../nn/context.js';
import type { Module } from '../nn/module.js';
import { backward } from '../tensor/autograd.js';
import { tensor } from '../tensor/create.js';
import { multiply } from '../tensor/elementwise.js';
import { scope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { attentionPaths } from './examine.js';
import type { Probe } from './task.js';

/** One head and what it is worth. */
export interface HeadImportance {
  readonly path: string;
  readonly head: number;
  /** Mean over examples of `abs(Σ out · dout)` of the summed loss, relative to the L2 norm over its layer's heads. */
  readonly importance: number;
}

/**
 * `I_h = E_x abs(Σ out_h(x) · ∂loss/∂out_h(x))`, normalised by layer (Michel et al. 2019, eq. 2 and §4.1), least first.
 *
 * With a gate ξ = 1 behind a head, `∂loss/∂ξ` is that sum, so the fused backward gives it. Memory: as a training step.
 * Parameters get no gradient that stays.
 */
export function headImportance(model: Module, probes: Iterable<() => Probe>): HeadImportance[] {
  const sums = new Map<string, number[]>();
  for (const next of probes) {
    scope(() => {
      const gates = new Gates(model);
      const { loss, tokens } = next().forward(inference(gates));
      backward(multiply(loss, tokens));
      for (const [path, gate] of gates.made) addTo(sums, path, gate);
      for (const parameter of model.parameters().values()) clear(parameter);
    });
  }
  return [...sums].flatMap(([path, heads]) => normalised(path, heads)).sort((a, b) => a.importance - b.importance);
}

function clear(parameter: Tensor): void {
  parameter.grad?.dispose();
  parameter.grad = undefined;
}

/** Adds |∂loss/∂ξ| of every example and head of one call. */
function addTo(sums: Map<string, number[]>, path: string, gate: Tensor): void {
  const [B, H] = gate.shape as [number, number, number, number];
  const gradient = gate.grad?.toArray() ?? [];
  const heads = sums.get(path) ?? new Array<number>(H).fill(0);
  for (let at = 0; at < B * H; at++) heads[at % H] = (heads[at % H] ?? 0) + Math.abs(gradient[at] ?? 0);
  sums.set(path, heads);
  clear(gate);
}

function normalised(path: string, heads: readonly number[]): HeadImportance[] {
  const norm = Math.hypot(...heads);
  return heads.map((sum, head) => ({ path, head, importance: norm > 0 ? sum / norm : 0 }));
}

/** Puts a gate [B, H, 1, 1] of ones, a leaf, behind every head. */
class Gates implements CaptureSink {
  readonly made = new Map<string, Tensor>();
  readonly #paths: ReadonlyMap<Module, string>;

  constructor(model: Module) {
    this.#paths = attentionPaths(model);
  }

  wants(): undefined {
    return undefined;
  }

  take(): void {}

  stages(module: Module, { out }: AttentionStages): Tensor {
    const path = this.#paths.get(module);
    if (path === undefined) return out;
    const [B, H] = out.shape as [number, number, number, number];
    const ones = new Float32Array(B * H).fill(1);
    const gate = tensor(ones, [B, H, 1, 1], { backend: out.backend, requiresGrad: true });
    this.made.set(path, gate);
    return multiply(out, gate);
  }
}
