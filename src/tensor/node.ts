/**
 * A recorded call in the autograd graph: which memory it keeps, for how long, and how it is differentiated.
 * Next: autograd.ts, which walks the nodes.
 */

import { StateError } from '../core/errors.js';
import {
  type Gradients,
  type Inputs,
  needsGradient,
  type OperationRule,
  type OutputGradients,
  type Outputs,
  type Saved,
} from './rule.js';
import type { Storage } from './storage.js';
import type { Producer, Tensor } from './tensor.js';

/** Puts a call into the graph: its outputs now know who made them. */
export function record<I extends Inputs, O extends Outputs, S extends Saved, Options>(
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

/** The memory of every tensor of a recorded call, retained. */
function retainAll(inputs: Inputs, outputs: Outputs, saved: Saved): Storage[] {
  const storages: Storage[] = [];
  for (const tensor of inputs) if (tensor !== undefined) storages.push(tensor.storage);
  for (const tensor of outputs) storages.push(tensor.storage);
  for (const key in saved) storages.push((saved[key] as Tensor).storage);
  for (const storage of storages) storage.retain();
  return storages;
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
  #storages: readonly Storage[];
  #holders: number;
  #guarded = false;

  constructor(rule: OperationRule<I, O, S, Options>, inputs: I, outputs: O, saved: S, options: Options) {
    this.#rule = rule;
    this.#options = options;
    this.#needs = inputs.map(needsGradient);
    this.#tensors = { inputs, outputs, saved };
    this.#holders = outputs.length;
    this.#storages = retainAll(inputs, outputs, saved);
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
    for (const storage of this.#storages) storage.release();
    this.#storages = [];
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
    for (const storage of this.#storages) storage.guard();
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
