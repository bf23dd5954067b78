/** Cross-entropy of logits against target ids, row by row, with label smoothing. train/losses builds on it. */

import { DTypeError, ShapeError } from '../core/errors.js';
import { formatShape, sameShape, sizeOf } from '../core/shape.js';
import { flatOf, rowsOf, viewOf } from './broadcast.js';
import { defineOperation } from './operation.js';
import { allocate, type Tensor } from './tensor.js';

export interface CrossEntropyOptions {
  /** Label smoothing ε in [0, 1). Default 0. */
  readonly smoothing?: number;
  /** Target id whose rows give loss 0 and gradient 0. Default -1. */
  readonly ignore?: number;
}

const crossEntropyOperation = defineOperation({
  name: 'crossEntropy',
  forward: ([logits, targets]: readonly [Tensor, Tensor], options: Required<CrossEntropyOptions>) => {
    const loss = allocate(logits.backend, 'f32', targets.shape);
    const lse = allocate(logits.backend, 'f32', [targets.size]);
    const operands = { loss: viewOf(loss, [loss.size], [1]), lse, logits: rowsOf(logits), target: flatOf(targets) };
    logits.backend.run('cross_entropy_f32', operands, { ...options });
    return { outputs: [loss], saved: { lse } };
  },
  backward: ({ inputs: [logits, targets], saved: { lse }, options }, [dout]) => {
    const dlogits = allocate(logits.backend, 'f32', logits.shape);
    const target = flatOf(targets);
    const operands = { dlogits: rowsOf(dlogits), logits: rowsOf(logits), lse, target, dloss: flatOf(dout) };
    logits.backend.run('cross_entropy_backward_f32', operands, { ...options });
    return [dlogits, undefined];
  },
});

/**
 * `lse - (1-ε)·x[target] - ε·mean(x)` for every row x of logits; nats.
 *
 * Shapes: logits [..., V], targets (i32) [...] → loss [...]. Rows with target `ignore` give 0.
 * Memory: one number a row for backward. Numerics: relative error <= 1e-6 with logits ± 1e4.
 * @throws ShapeError when the leading axes differ, DTypeError for targets that are not i32.
 */
export function crossEntropy(logits: Tensor, targets: Tensor, options: CrossEntropyOptions = {}): Tensor {
  const { smoothing = 0, ignore = -1 } = options;
  const rows = logits.shape.slice(0, -1);
  if (logits.shape.length === 0 || !sameShape(rows, targets.shape) || sizeOf(rows) !== targets.size) {
    throw new ShapeError(
      `crossEntropy: expected targets ${formatShape(rows)} to match logits ${formatShape(logits.shape)}, got ${formatShape(targets.shape)}`,
      { logits: logits.shape, targets: targets.shape },
    );
  }
  if (targets.dtype !== 'i32') throw new DTypeError(`crossEntropy: expected i32 targets, got ${targets.dtype}`);
  return crossEntropyOperation([logits, targets], { smoothing, ignore })[0];
}
