/**
 * Memory for time: a block whose inner tensors are not kept for backward but computed again from its input (gradient
 * checkpointing: Chen et al. 2016). Same bits, about a third more time, one tensor a block.
 */

import { RandomStream } from '../core/random.js';
import { backward } from '../tensor/autograd.js';
import { defineOperation } from '../tensor/operation.js';
import { isRecording, recorded } from '../tensor/recording.js';
import type { Tensor } from '../tensor/tensor.js';
import { detach } from '../tensor/views.js';
import type { Context } from './context.js';
import type { Module } from './module.js';

interface Options {
  /** How many of the inputs are data; the others are parameters. */
  readonly count: number;
  readonly run: () => Tensor;
  readonly again: (inputs: readonly Tensor[]) => Tensor;
}

const recomputeOperation = defineOperation({
  name: 'recompute',
  // The parameters are inputs so that the call counts as differentiable; their gradients arrive by the inner backward.
  forward: (_inputs: readonly Tensor[], { run }: Options) => ({ outputs: [run()] }),
  backward: ({ inputs, options: { count, again }, needs }, [dout]) => {
    const fresh = inputs.slice(0, count).map((input, at) => leafOf(input, needs[at] ?? false));
    const out = recorded(() => again(fresh));
    if (out.producer !== undefined) backward(out, dout);
    const gradients = fresh.map((input) => input.grad?.alias());
    fresh.forEach(release);
    return [...gradients, ...inputs.slice(count).map(() => undefined)];
  },
});

/** The same elements, as a leaf whose gradient is wanted or not. */
function leafOf(x: Tensor, wanted: boolean): Tensor {
  const leaf = detach(x);
  leaf.requiresGrad = wanted;
  return leaf;
}

function release(leaf: Tensor): void {
  leaf.requiresGrad = false; // an ordinary tensor again, which no scope has to spare
  leaf.dispose();
}

/** How a model runs its blocks: `recompute` or `keepAll`. */
export type RunBlock = typeof recompute;

/** `run(inputs, context)` as it is: everything that backward needs is kept. */
export const keepAll: RunBlock = (_module, inputs, context, run) => run(inputs, context);

/**
 * `run(inputs, context)`, of which only the inputs are kept. `run` must depend on nothing else that needs a gradient but
 * the parameters of `module`, and return a fresh tensor.
 *
 * Numerics: the same bits with and without, gradients and dropout included.
 */
export function recompute(
  module: Module,
  inputs: readonly Tensor[],
  context: Context,
  run: (inputs: readonly Tensor[], context: Context) => Tensor,
): Tensor {
  if (!isRecording() || !context.training) return run(inputs, context);
  const state = context.random.state();
  const options = {
    count: inputs.length,
    run: () => run(inputs, context),
    again: (fresh: readonly Tensor[]) => run(fresh, { ...context, random: RandomStream.restore(state) }),
  };
  return recomputeOperation([...inputs, ...module.parameters().values()], options)[0];
}
