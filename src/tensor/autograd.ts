/**
 * Reverse-mode differentiation: walks the recorded nodes from the loss to the leaves, newest first, adding up gradients.
 * No recursion, so depth does not matter; a first gradient is taken over, not copied. Rules live beside their operations.
 */

import { binaryOps } from '../backend/kernels.generated.js';
import { ShapeError, StateError } from '../core/errors.js';
import { formatShape, isPacked, sameShape } from '../core/shape.js';
import { packedCopy } from './broadcast.js';
import { closeSection, openSection } from './ledger.js';
import { checkInputs } from './operation.js';
import { noGrad } from './recording.js';
import { allocate, type Producer, type Tensor } from './tensor.js';

const sumCode = binaryOps.indexOf('add');

/** Gradients by output of every node that waits to be differentiated. */
type Pending = Map<Producer, (Tensor | undefined)[]>;

/** Nodes that the loss depends on, newest first. */
function reachable(from: Producer): Producer[] {
  const seen = new Set<Producer>([from]);
  for (const node of seen) {
    for (const input of node.inputs) if (input?.requiresGrad && input.producer) seen.add(input.producer);
  }
  return [...seen].sort((a, b) => b.order - a.order);
}

/** True when nothing else looks at the memory, so it may be written. */
function exclusive(gradient: Tensor): boolean {
  return gradient.storage.references === 1 && isPacked(gradient.shape, gradient.strides);
}

/** `into + gradient`, in place where nobody else sees `into`. */
function addGradient(into: Tensor, gradient: Tensor): Tensor {
  const out = exclusive(into) ? into : allocate(into.backend, 'f32', into.shape);
  into.backend.run('binary_f32', { out, a: into, b: gradient }, { op: sumCode });
  return out;
}

function checkGradient(name: string, input: Tensor, gradient: Tensor): void {
  if (sameShape(input.shape, gradient.shape)) return;
  throw new ShapeError(
    `backward: expected the rule of ${name} to give a gradient of shape ${formatShape(input.shape)}, got ${formatShape(gradient.shape)}`,
  );
}

/** Adds to the gradient of a leaf; the first one becomes the leaf's own, packed tensor. */
function addToLeaf(leaf: Tensor, gradient: Tensor): void {
  if (leaf.disposed) return;
  const present = leaf.grad;
  if (present === undefined || present.disposed) {
    leaf.grad = exclusive(gradient) ? gradient.alias() : packedCopy(gradient);
  } else {
    leaf.grad = addGradient(present, gradient);
    if (leaf.grad !== present) present.dispose();
  }
  leaf.grad.markKept();
}

/** Slots escape the sections of the rules that fill them, until their own node is differentiated. */
function addToOutput(pending: Pending, producer: Producer, output: Tensor, gradient: Tensor): void {
  let slots = pending.get(producer);
  if (slots === undefined) {
    slots = new Array<Tensor | undefined>(producer.outputs.length).fill(undefined);
    pending.set(producer, slots);
  }
  const index = producer.outputs.indexOf(output);
  const present = slots[index];
  const total = present === undefined ? gradient.alias() : addGradient(present, gradient);
  if (total !== present) present?.dispose();
  total.escaping = true;
  slots[index] = total;
}

/** Runs one rule and hands its gradients on; its temporaries are freed before the next. */
function differentiate(node: Producer, gradients: readonly (Tensor | undefined)[], pending: Pending): void {
  const { inputs } = node;
  const results = node.differentiate(gradients);
  inputs.forEach((input, at) => {
    const gradient = results[at];
    if (!input?.requiresGrad || gradient === undefined) return;
    checkGradient(node.name, input, gradient);
    if (input.producer === undefined) addToLeaf(input, gradient);
    else addToOutput(pending, input.producer, input, gradient);
  });
}

function seedOf(loss: Tensor, seed: Tensor | undefined): Tensor {
  if (seed === undefined) {
    if (loss.size !== 1) {
      throw new ShapeError(
        `backward: expected a loss of 1 element, got ${formatShape(loss.shape)}; reduce it with mean or sum, or give a seed`,
      );
    }
    const one = allocate(loss.backend, 'f32', loss.shape);
    loss.backend.run('fill_f32', { out: one }, { value: 1 });
    return one;
  }
  if (!sameShape(loss.shape, seed.shape)) {
    throw new ShapeError(
      `backward: expected a seed of the loss's shape = ${formatShape(loss.shape)}, got ${formatShape(seed.shape)}`,
    );
  }
  return seed.alias();
}

function walk(nodes: readonly Producer[], pending: Pending): void {
  for (const node of nodes) {
    const gradients = pending.get(node);
    if (gradients === undefined) continue;
    const mark = openSection();
    try {
      differentiate(node, gradients, pending);
    } finally {
      closeSection(mark);
    }
    pending.delete(node);
    for (const gradient of gradients) gradient?.dispose();
  }
}

function disposePending(pending: Pending): void {
  for (const slots of pending.values()) for (const gradient of slots) gradient?.dispose();
}

/**
 * Computes the gradient of `loss` with respect to every leaf with `requiresGrad` and adds it to the leaf's `grad`.
 *
 * The graph is used up: run the forward pass again before the next call. `seed`, of the shape of `loss`, is the gradient
 * to start from; without one `loss` must have a single element and the seed is 1.
 *
 * @throws StateError when `loss` has no graph or the graph was used before; ShapeError for a loss of many elements.
 * @example
 * const w = tensor([1, 2], [2], { requiresGrad: true });
 * backward(sum(square(w)));
 * w.grad?.toArray(); // [2, 4]
 */
export function backward(loss: Tensor, seed?: Tensor): void {
  checkInputs('backward', [loss, seed]);
  const { producer } = loss;
  if (producer === undefined) {
    throw new StateError(
      'backward: expected a loss made by recorded operations from leaves with requiresGrad, got one without a graph',
    );
  }
  if (!producer.open) {
    throw new StateError(
      `backward: expected a fresh graph, got one already used (at ${producer.name}); run the forward pass again`,
    );
  }
  const mark = openSection();
  const pending: Pending = new Map();
  try {
    noGrad(() => {
      const nodes = reachable(producer);
      addToOutput(pending, producer, loss, seedOf(loss, seed));
      walk(nodes, pending);
      for (const node of nodes) node.close();
    });
  } finally {
    disposePending(pending);
    closeSection(mark);
  }
}

/** Frees the gradients of these leaves, before the next accumulation. */
export function zeroGradients(leaves: Iterable<Tensor>): void {
  for (const leaf of leaves) {
    leaf.grad?.dispose();
    leaf.grad = undefined;
  }
}
