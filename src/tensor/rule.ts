/**
 * What an operation is: one record with its forward and its gradient rule, and the types of both. Hardly any code.
 * Next: operation.ts, which makes a function of it, and node.ts, which remembers a call.
 */

import type { Tensor } from './tensor.js';

/** Tensors going in; an optional one may be left out as undefined. */
export type Inputs = readonly (Tensor | undefined)[];
export type Outputs = readonly [Tensor, ...Tensor[]];
export type Saved = Readonly<Record<string, Tensor>>;
export type Gradients = readonly (Tensor | undefined)[];

/** What a gradient rule may read. All of it is alive, whatever scopes have closed since the forward pass. */
export interface BackwardContext<I extends Inputs, O extends Outputs, S extends Saved, Options> {
  readonly inputs: I;
  readonly outputs: O;
  readonly saved: S;
  readonly options: Options;
  /** For each input, whether its gradient is wanted. */
  readonly needs: readonly boolean[];
}

/** Gradients by output; undefined where the loss does not depend on that output (a single output always has one). */
export type OutputGradients<O extends Outputs> = O extends readonly [Tensor]
  ? readonly [Tensor]
  : { readonly [Index in keyof O]: Tensor | undefined };

/**
 * An operation and its gradient rule.
 *
 * `forward` returns fresh tensors (or views), never one of its inputs. `saved` are further tensors that `backward` needs;
 * they are freed with the graph. Both run without recording, and every temporary they make is freed for them.
 * `backward` returns one gradient for each input, of that input's shape, or undefined; it may return an incoming
 * gradient or a view of one.
 */
export interface OperationRule<I extends Inputs, O extends Outputs, S extends Saved, Options> {
  readonly name: string;
  forward(inputs: I, options: Options): { readonly outputs: O; readonly saved?: S };
  backward(context: BackwardContext<I, O, S, Options>, gradients: OutputGradients<O>): Gradients;
}

export function needsGradient(tensor: Tensor | undefined): boolean {
  return tensor?.requiresGrad === true;
}
