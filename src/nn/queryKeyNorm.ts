/**
 * What keeps logits in bounds before the attention call: QK-norm and a learned temperature, as mechanisms of
 * MultiHeadAttention.
 */

import { exp, multiply } from '../tensor/elementwise.js';
import { rmsNorm } from '../tensor/normalise.js';
import type { Tensor } from '../tensor/tensor.js';
import { reshape } from '../tensor/views.js';
import type { AttentionMechanism, QueriesAndKeys } from './attentionMechanism.js';
import { oneParameter, zeroParameter } from './initialise.js';
import { Module } from './module.js';

/**
 * RMS norm over the head width of queries and keys, each with its own gain [D], so that no logit passes `√D·|gains|`.
 *
 * Shapes: q [B, H, L, D], k [B, G, S, D] → the same. Source: Henry et al. 2020; in this form Dehghani et al. 2023, §2.
 */
export class QueryKeyNorm extends Module implements AttentionMechanism {
  readonly q: Tensor;
  readonly k: Tensor;

  constructor(headWidth: number) {
    super();
    [this.q, this.k] = [oneParameter([headWidth]), oneParameter([headWidth])];
  }

  forward(q: Tensor, k: Tensor): readonly [q: Tensor, k: Tensor] {
    return [rmsNorm(q, this.q), rmsNorm(k, this.k)];
  }

  prepare(heads: QueriesAndKeys): QueriesAndKeys {
    const [q, k] = this.forward(heads.q, heads.k);
    return { q, k };
  }
}

/**
 * A learned factor on the logits of each head: `q·e^t_h`, t starting at 0 (Radford et al. 2021, §2.5; Liu et al. 2022, eq. 2).
 *
 * Shapes: q [B, H, L, D] → the same.
 */
export class LearnedTemperature extends Module implements AttentionMechanism {
  readonly logScale: Tensor;

  constructor(heads: number) {
    super();
    this.logScale = zeroParameter([heads]);
  }

  forward(q: Tensor): Tensor {
    return multiply(q, reshape(exp(this.logScale), [1, this.logScale.size, 1, 1]));
  }

  prepare({ q, k }: QueriesAndKeys): QueriesAndKeys {
    return { q: this.forward(q), k };
  }
}
