/**
 * How an operation is declared: one record with its forward and its gradient rule. `defineOperation` turns it into a
 * function that checks its inputs, frees its temporaries and, when a gradient may be wanted, records a graph node.
 * Every built-in operation and attention itself is one of these. Next: autograd.ts, which walks the nodes.
 */

import { BackendError, StateError } from '../core/errors.js';
import { closeSection, openSection } from './ledger.js';
import { isRecording, setRecording } from './recording.js';
import { disposedError, type Producer, type Tensor } from './tensor.js';

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

/** True when an operation on these inputs would be recorded; rules with costly `saved` tensors may ask. */
export function wouldRecord(inputs: Inputs): boolean {
  return isRecording() && inputs.some(needsGradient);
}

function needsGradient(tensor: Tensor | undefined): boolean {
  return tensor?.requiresGrad === true;
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

function record<I extends Inputs, O extends Outputs, S extends Saved, Options>(
  rule: OperationRule<I, O, S, Options>,
  inputs: I,
  outputs: O,
  saved: S | undefined,
  options: Options,
): void {
  const node = new Node(rule, inputs, outputs, saved ?? ({} as S), options);
  for (const output of outputs) {
    output.producer = node;
    output.requiresGrad = true;
  }
}

let nodesMade = 0;
const dying: { free(): void }[] = [];
let draining = false;

/** Every tensor of a recorded call. */
function allTensors(tensors: { inputs: Inputs; outputs: Outputs; saved: Saved }): Tensor[] {
  return [...tensors.inputs, ...tensors.outputs, ...Object.values(tensors.saved)].filter((x) => x !== undefined);
}

/**
 * One recorded call. It keeps the memory of its tensors, not their handles: scopes may dispose handles, and `backward`
 * sees fresh aliases. It lives as long as a handle of one of its outputs or a later node.
 */
class Node<I extends Inputs, O extends Outputs, S extends Saved, Options> implements Producer {
  readonly order = nodesMade++;
  readonly #rule: OperationRule<I, O, S, Options>;
  readonly #options: Options;
  readonly #needs: readonly boolean[];
  #tensors: { readonly inputs: I; readonly outputs: O; readonly saved: S } | undefined;
  #holders: number;
  #guarded = false;

  constructor(rule: OperationRule<I, O, S, Options>, inputs: I, outputs: O, saved: S, options: Options) {
    this.#rule = rule;
    this.#options = options;
    this.#needs = inputs.map(needsGradient);
    this.#tensors = { inputs, outputs, saved };
    this.#holders = outputs.length;
    for (const tensor of allTensors(this.#tensors)) tensor.storage.retain();
    for (const tensor of inputs) tensor?.producer?.hold();
  }

  get name(): string {
    return this.#rule.name;
  }

  get open(): boolean {
    return this.#tensors !== undefined;
  }

  get inputs(): Inputs {
    return this.#tensors?.inputs ?? [];
  }

  get outputs(): readonly Tensor[] {
    return this.#tensors?.outputs ?? [];
  }

  hold(): void {
    this.#holders++;
  }

  /** One holder less; at none the memory goes, and so on up the graph, without recursion. */
  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.close();
  }

  close(): void {
    dying.push(this);
    if (draining) return;
    draining = true;
    for (let node = dying.pop(); node !== undefined; node = dying.pop()) node.free();
    draining = false;
  }

  free(): void {
    const tensors = this.#tensors;
    if (tensors === undefined) return;
    this.#tensors = undefined;
    for (const tensor of allTensors(tensors)) tensor.storage.release();
    for (const tensor of tensors.inputs) tensor?.producer?.release();
  }

  guard(): void {
    const reached = new Set<Producer>([this]);
    for (const node of reached) for (const producer of node.guardOwn()) reached.add(producer);
  }

  guardOwn(): readonly Producer[] {
    const tensors = this.#tensors;
    if (tensors === undefined || this.#guarded) return [];
    this.#guarded = true;
    for (const tensor of allTensors(tensors)) tensor.storage.guard();
    return tensors.inputs.flatMap((tensor) => tensor?.producer ?? []);
  }

  differentiate(gradients: Gradients): Gradients {
    const tensors = this.#tensors;
    if (tensors === undefined) {
      throw new StateError(
        `backward: expected the graph of ${this.name} to be there, got one already used; run the forward pass again`,
      );
    }
    return this.#rule.backward(
      {
        inputs: tensors.inputs.map(revive) as unknown as I,
        outputs: tensors.outputs.map(revive) as unknown as O,
        saved: reviveSaved(tensors.saved),
        options: this.#options,
        needs: this.#needs,
      },
      gradients as unknown as OutputGradients<O>,
    );
  }
}

function revive(tensor: Tensor | undefined): Tensor | undefined {
  return tensor?.disposed ? tensor.alias() : tensor;
}

function reviveSaved<S extends Saved>(saved: S): S {
  const alive: Record<string, Tensor | undefined> = {};
  for (const key in saved) alive[key] = revive(saved[key]);
  return alive as S;
}
