/**
 * Buffer lifetimes for users: `scope` frees what a function made, `keep` takes a tensor out of all scopes.
 * The bookkeeping is in ledger.ts.
 */

import { StateError } from '../core/errors.js';
import { closeSection, openSection } from './ledger.js';
import { Tensor } from './tensor.js';

/** Method by which an object with private tensors names them, so that a scope that returns it spares them. */
export const heldTensors: unique symbol = Symbol('keyhole.heldTensors');

/** Anything that a scope can return with its private tensors alive. */
export interface TensorHolder {
  [heldTensors](): Iterable<Tensor>;
}

function holdsTensors(value: object): value is TensorHolder {
  return heldTensors in value;
}

/** Calls `visit` on every tensor in a value made of tensors, arrays, maps, plain objects and tensor holders. */
function visitTensors(value: unknown, visit: (tensor: Tensor) => unknown, seen: Set<object> = new Set()): void {
  if (typeof value !== 'object' || value === null) return;
  if (value instanceof Tensor) {
    visit(value);
    return;
  }
  if (ArrayBuffer.isView(value) || seen.has(value)) return;
  seen.add(value);
  for (const part of partsOf(value)) visitTensors(part, visit, seen);
}

function partsOf(value: object): Iterable<unknown> {
  if (value instanceof Map || value instanceof Set) return value.values();
  return holdsTensors(value) ? value[heldTensors]() : Object.values(value);
}

function refusePromise(value: unknown): void {
  if (value instanceof Promise) {
    throw new StateError('scope: expected a synchronous function, got a promise; open a scope between the awaits');
  }
}

/**
 * Runs `body` and frees every tensor it made, except those it returns (a tensor, or arrays, maps, objects and `TensorHolder`s of
 * tensors).
 *
 * Survivors belong to the enclosing scope, if any. Never freed: parameters (leaves with `requiresGrad`), gradients of
 * leaves, tensors passed to `keep`, and whatever was made outside. Freed memory goes to the backend's pool. When `body`
 * throws, everything it made is freed.
 *
 * @example
 * const total = scope(() => sum(multiply(a, b))); // the product is freed here
 */
export function scope<Result>(body: () => Result): Result {
  const mark = openSection();
  const survivors: Tensor[] = [];
  try {
    const result = body();
    refusePromise(result);
    visitTensors(result, (tensor) => survivors.push(tensor));
    for (const tensor of survivors) tensor.escaping = true;
    return result;
  } finally {
    closeSection(mark);
    for (const tensor of survivors) tensor.escaping = false;
  }
}

/** Takes a tensor out of all scopes: from now on the caller disposes it. Returns its argument. */
export function keep<T extends Tensor>(tensor: T): T {
  tensor.markKept();
  return tensor;
}
