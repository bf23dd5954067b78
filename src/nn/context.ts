/**
 * What travels beside the data through `forward`: training mode, the random stream of dropout, and captures. There is
 * no global mode; whoever calls a model says how it is to run. Next: module.ts.
 */

import type { RecordOptions } from '../attention/options.js';
import type { PeekSource } from '../attention/peek.js';
import type { Recording } from '../attention/recording.js';
import { RandomStream } from '../core/random.js';
import type { AttentionKind } from '../core/records.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Module } from './module.js';

/** One attention call as tensors, for those who look deeper than a record. */
export interface AttentionStages extends Pick<PeekSource, 'q' | 'k' | 'lse' | 'mask' | 'bias' | 'offset' | 'scale'> {
  /** [B, G, S, Dv] */
  readonly v: Tensor;
  /** [B, H, L, Dv], before the output projection. */
  readonly out: Tensor;
}

/** Receives what attention modules did. Modules ask `wants` first, so what is not captured costs nothing. */
export interface CaptureSink {
  /** What to record for this module, or undefined for nothing. */
  wants(module: Module): RecordOptions | undefined;
  take(module: Module, kind: AttentionKind, recording: Recording): void;
  /** Sees the tensors of a call, before `take`; what it returns goes on in place of `out`. */
  stages?(module: Module, stages: AttentionStages): Tensor;
}

/** How a forward pass runs. */
export interface Context {
  /** Dropout and other noise is on. */
  readonly training: boolean;
  /** Source of dropout seeds; its state is part of a checkpoint. */
  readonly random: RandomStream;
  readonly captures?: CaptureSink | undefined;
}

/** A context for inference: no noise, nothing captured. */
export function inference(captures?: CaptureSink): Context {
  return { training: false, random: new RandomStream(0), captures };
}
