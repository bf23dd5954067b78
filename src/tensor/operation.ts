/**
 * How an operation is declared: one record with its forward and its gradient rule. `defineOperation` turns it into a
 * function that checks its inputs, frees its temporaries and, when a gradient may be wanted, records a graph node.
 * Every built-in operation and attention itself is one of these. Next: autograd.ts, which walks the nodes.
 */

import { BackendError } from '../core/errors.js';
import { closeSection, openSection } from './ledger.js';
import { record } from './node.js';
import { setRecording } from './recording.js';
import { type Inputs, needsGradient, type OperationRule, type Outputs, type Saved } from './rule.js';
import { disposedError, type Tensor } from './tensor.js';

export type { BackwardContext, Gradients, Inputs, OperationRule, OutputGradients, Outputs, Saved } from './rule.js';

const names = new Set<string>();

/** Names of all operations defined so far: the table that the gradient-check registry has to cover. */
export function operationNames(): ReadonlySet<string> {
  return names;
}

/**
 * Makes a differentiable function from a rule.
 *
 * @throws StateError when an input was disposed, BackendError when inputs live on different backends.
 * @example
 * const double = defineOperation({
 *   name: 'double',
 *   forward: ([x]: readonly [Tensor]) => ({ outputs: [affine(x, 2, 0)] }),
 *   backward: (_, [dout]) => [affine(dout, 2, 0)],
 * });
 */
export function defineOperation<I extends Inputs, O extends Outputs, S extends Saved, Options = void>(
  rule: OperationRule<I, O, S, Options>,
): (inputs: I, options: Options) => O {
  names.add(rule.name);
  return (inputs, options) => {
    checkInputs(rule.name, inputs);
    const before = setRecording(false);
    const mark = openSection();
    let outputs: O | undefined;
    try {
      const result = rule.forward(inputs, options);
      if (before && inputs.some(needsGradient)) record(rule, inputs, result.outputs, result.saved, options);
      outputs = result.outputs;
      for (const output of outputs) output.escaping = true;
      return outputs;
    } finally {
      closeSection(mark);
      if (outputs !== undefined) for (const output of outputs) output.escaping = false;
      setRecording(before);
    }
  };
}

/** Throws unless every tensor is alive and all are on one backend. */
export function checkInputs(name: string, inputs: Inputs): void {
  let first: Tensor | undefined;
  for (const input of inputs) {
    if (input === undefined) continue;
    if (input.disposed) throw disposedError(name, input);
    first ??= input;
    if (input.backend !== first.backend) {
      const { backend, target } = input.backend.info;
      throw new BackendError(
        `${name}: expected all tensors on one backend = ${first.backend.info.backend}, got one on ${backend} (${target}); create both with the same backend`,
      );
    }
  }
}
