/** Attention sinks as a mechanism of MultiHeadAttention. Next: ../attention/options.ts, `sinks`. */

import type { Tensor } from '../tensor/tensor.js';
import type { AttentionMechanism, MechanismOptions } from './attentionMechanism.js';
import { zeroParameter } from './initialise.js';
import { Module } from './module.js';

/** A learned logit a head that takes weight and has no value, [H], starting at 0 (GPT-OSS, 2025; Miller 2023). */
export class AttentionSinks extends Module implements AttentionMechanism {
  readonly logits: Tensor;

  constructor(heads: number) {
    super();
    this.logits = zeroParameter([heads]);
  }

  options(): MechanismOptions {
    return { sinks: this.logits };
  }
}
