/** Mean, maximum or last position of a sequence as a layer without parameters. Next: ../attention/pooling.ts. */

import { type Lengths, lastPool, maxPool, meanPool } from '../attention/pooling.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Context } from './context.js';
import { Module } from './module.js';

export type PoolingForm = 'mean' | 'max' | 'last';

/**
 * One vector for a sequence, without learning which words matter.
 *
 * Shapes: x [B, L, E] → [B, E]. Capture sees the equal weights of `mean`; `max` and `last` have no weights to show.
 */
export class Pooling extends Module {
  readonly form: PoolingForm;

  constructor(form: PoolingForm) {
    super();
    this.form = form;
  }

  forward(x: Tensor, context: Context, { lengths }: { readonly lengths?: Lengths } = {}): Tensor {
    switch (this.form) {
      case 'mean': {
        const { out, record } = meanPool(x, { lengths, record: context.captures?.wants(this) });
        if (record) context.captures?.take(this, 'cross', record);
        return out;
      }
      case 'max':
        return maxPool(x, lengths);
      case 'last':
        return lastPool(x, lengths);
    }
  }
}
