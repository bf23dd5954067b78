/** Samples of the operations of src/nn for the gradient check. */

import { RandomStream } from '../../src/core/random.js';
import { Linear } from '../../src/nn/linear.js';
import { recompute } from '../../src/nn/recompute.js';
import { setBackend } from '../../src/tensor/create.js';
import { gelu, multiply } from '../../src/tensor/index.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { Sample } from './checkGradients.js';

/** A block of a layer with parameters of its own, and two inputs. */
function block(x: Tensor, y: Tensor): Tensor {
  setBackend(x.backend);
  const layer = new Linear(3, 3, new RandomStream(1));
  const context = { training: true, random: new RandomStream(2) };
  return recompute(layer, [x, y], context, ([a, b]) => multiply(gelu(layer.forward(a as Tensor)), b as Tensor));
}

/** Keyed by operation name. */
export const nnSamples: Readonly<Record<string, readonly Sample[]>> = {
  recompute: [{ inputs: [{ shape: [2, 3] }, { shape: [2, 3] }], run: block }],
};
