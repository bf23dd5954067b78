/**
 * Choosing elements: by a condition (`where`) or by a counter-based generator (`dropout`, which keeps no mask).
 */

import { DTypeError, UsageError } from '../core/errors.js';
import { type Operand, scalarLike } from './arithmetic.js';
import { broadcastShape, broadcastView, flatOf, sumToShape, viewOf } from './broadcast.js';
import { defineOperation } from './operation.js';
import { scope } from './scope.js';
import { allocate, Tensor } from './tensor.js';

function chosen(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  const shape = broadcastShape('where', broadcastShape('where', condition.shape, a.shape), b.shape);
  const out = allocate(a.backend, 'f32', shape);
  const operands = {
    out,
    condition: broadcastView(condition, shape),
    a: broadcastView(a, shape),
    b: broadcastView(b, shape),
  };
  a.backend.run('select_f32', operands, {});
  return out;
}

const whereOperation = defineOperation({
  name: 'where',
  forward: ([condition, a, b]: readonly [Tensor, Tensor, Tensor]) => ({ outputs: [chosen(condition, a, b)] }),
  backward: ({ inputs: [condition, a, b], needs }, [dout]) => {
    const zero = scalarLike(dout, 0);
    return [
      undefined,
      needs[1] ? sumToShape(chosen(condition, dout, zero), a.shape) : undefined,
      needs[2] ? sumToShape(chosen(condition, zero, dout), b.shape) : undefined,
    ];
  },
});

/**
 * a where the condition is not 0, else b. What is not chosen never influences the result, even when it is NaN.
 *
 * Shapes: condition (u8), a and b broadcast with each other.
 */
export function where(condition: Tensor, a: Operand, b: Operand): Tensor {
  if (condition.dtype !== 'u8') throw new DTypeError(`where: expected a u8 condition, got ${condition.dtype}`);
  const lift = (x: Operand): Tensor => (x instanceof Tensor ? x : scalarLike(condition, x));
  return scope(() => whereOperation([condition, lift(a), lift(b)])[0]);
}

/** Where dropout's random numbers come from; the same seed and stream give the same mask. */
export interface DropoutOptions {
  /** Probability of dropping an element, in [0, 1). */
  readonly rate: number;
  /** Whole number; one per training step, from the step's random stream. */
  readonly seed: number;
  /** Whole number that tells apart the dropouts of one step. Default 0. */
  readonly stream?: number;
}

function dropped(x: Tensor, { rate, seed, stream = 0 }: DropoutOptions): Tensor {
  const out = allocate(x.backend, 'f32', x.shape);
  x.backend.run('dropout_f32', { out: viewOf(out, [x.size], [1]), a: flatOf(x) }, { rate, seed, stream });
  return out;
}

const dropoutOperation = defineOperation({
  name: 'dropout',
  forward: ([x]: readonly [Tensor], options: DropoutOptions) => ({ outputs: [dropped(x, options)] }),
  backward: ({ options }, [dout]) => [dropped(dout, options)],
});

/**
 * Zeroes elements with probability `rate` and divides the others by `1 - rate`. With rate 0 it returns x itself.
 * Memory: none beyond the result; backward draws the same mask again.
 */
export function dropout(x: Tensor, options: DropoutOptions): Tensor {
  const { rate } = options;
  if (!(rate >= 0 && rate < 1)) throw new UsageError(`dropout: expected a rate in [0, 1), got ${rate}`);
  return rate === 0 ? x : dropoutOperation([x], options)[0];
}
