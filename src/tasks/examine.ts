/**
 * A model run over held-out examples for the doctor: statistics of every attention call beside what ought to hold there,
 * and if asked for what leaves heads and blocks. What follows from it: ../monitor/doctor/examined.ts.
 */

import type { RecordOptions } from '../attention/options.js';
import type { Recording } from '../attention/recording.js';
import type { AttentionKind, BlockOutputs, CapturedAttention, HeadOutputs } from '../core/records.js';
import { type AttentionStages, type CaptureSink, inference } from '../nn/context.js';
import type { Module } from '../nn/module.js';
import { MultiHeadAttention } from '../nn/multiHeadAttention.js';
import { watchOutputs } from '../nn/watchOutputs.js';
import { tensor } from '../tensor/create.js';
import { noGrad } from '../tensor/recording.js';
import { scope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { measureBlock } from './blockOutputs.js';
import { measureHeads } from './headOutputs.js';
import type { Probe } from './task.js';

/** What was seen, in plain records. */
export interface Examination {
  readonly captured: readonly CapturedAttention[];
  readonly blocks: readonly BlockOutputs[];
}

export interface ExamineOptions {
  /** Also look at what leaves heads and blocks; three to five times slower. Default false. */
  readonly outputs?: boolean;
  /** Record the mass on delimiters, where probes know them, instead of that on padding. Default false. */
  readonly delimiters?: boolean;
  /** Keep all weights: O(L·S). Default false. */
  readonly weights?: boolean;
}

/** Runs the model over all probes, without gradients. */
export function examine(model: Module, probes: Iterable<() => Probe>, options: ExamineOptions = {}): Examination {
  const { outputs = false } = options;
  const paths = attentionPaths(model);
  const [captured, blocks]: [CapturedAttention[], BlockOutputs[]] = [[], []];
  for (const next of probes) {
    noGrad(() =>
      scope(() => {
        const probe = next();
        const sink = new ExaminingSink(paths, probe, options);
        const run = (): unknown => probe.forward(inference(sink));
        if (outputs) watchOutputs(model, (path, output) => blocks.push(...blockOf(path, output, paths, probe)), run);
        else run();
        captured.push(...sink.captured);
      }),
    );
  }
  return { captured, blocks };
}

/** Paths of the attention modules of a model. */
export function attentionPaths(model: Module): ReadonlyMap<Module, string> {
  const found = [...model.modules()].filter(([, module]) => module instanceof MultiHeadAttention);
  return new Map(found.map(([path, module]) => [module, path]));
}

/** A block is what an attention module is a part of. */
function blockOf(path: string, output: unknown, paths: ReadonlyMap<Module, string>, probe: Probe): BlockOutputs[] {
  const inside = [...paths.values()].find((attention) => attention.slice(0, attention.lastIndexOf('.')) === path);
  if (inside === undefined || !(output instanceof Tensor) || output.shape.length !== 3) return [];
  return [measureBlock(path, output, probe.expected(inside).queryLengths)];
}

class ExaminingSink implements CaptureSink {
  readonly captured: CapturedAttention[] = [];
  readonly #paths: ReadonlyMap<Module, string>;
  readonly #probe: Probe;
  readonly #options: ExamineOptions;
  #outputs: HeadOutputs | undefined;

  constructor(paths: ReadonlyMap<Module, string>, probe: Probe, options: ExamineOptions) {
    this.#paths = paths;
    this.#probe = probe;
    this.#options = options;
  }

  wants(module: Module): RecordOptions | undefined {
    const path = this.#paths.get(module);
    if (path === undefined) return undefined;
    const keySet = this.#keySet(path);
    return {
      ...(keySet && { keySet }),
      ...(this.#options.outputs && { zeroKeys: true }),
      ...(this.#options.weights && { rows: 'all' }),
    };
  }

  #keySet(path: string): Tensor | undefined {
    if (this.#options.delimiters) return this.#probe.delimiters?.(path);
    const { keyLengths } = this.#probe.expected(path);
    return keyLengths && paddingOf(keyLengths);
  }

  stages(module: Module, stages: AttentionStages): Tensor {
    const path = this.#paths.get(module);
    if (this.#options.outputs && path !== undefined) this.#outputs = measureHeads(stages, this.#probe.expected(path));
    return stages.out;
  }

  take(module: Module, kind: AttentionKind, recording: Recording): void {
    const path = this.#paths.get(module) as string;
    const outputs = this.#outputs;
    const expected = this.#probe.expected(path);
    this.captured.push({
      ...{ path, kind, record: recording.read(), expected },
      ...(this.#options.delimiters && this.#probe.delimiters && { setMassOf: 'delimiters' }),
      ...(outputs && { outputs }),
    });
  }
}

/** 1 where a key is padding [B, S]; S is the longest length, as batches are padded. */
function paddingOf(lengths: readonly number[]): Tensor {
  const S = Math.max(...lengths);
  const padding = lengths.flatMap((length) => Array.from({ length: S }, (_, j) => Number(j >= length)));
  return tensor(Uint8Array.from(padding), [lengths.length, S], { dtype: 'u8' });
}
