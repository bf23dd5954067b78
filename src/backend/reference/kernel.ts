/**
 * The shape of a reference kernel: the operands of contract.ts as `Strided` windows, and the scalars. Nothing is
 * returned: a kernel writes its outputs or throws.
 */

import { BackendError } from '../../core/errors.js';
import type { KernelName, Operands, Scalars } from '../contract.js';
import type { Strided } from './strided.js';

type Seen<T> = { readonly [Name in keyof T]: undefined extends T[Name] ? Strided | undefined : Strided };

export type ReferenceOperands<K extends KernelName> = Seen<Operands<K>>;

/** Computes what contract.ts says for kernel K. */
export type ReferenceKernel<K extends KernelName> = (operands: ReferenceOperands<K>, scalars: Scalars<K>) => void;

/** The entry of a table of functions that the scalar `op` names by its position in kernels.def. */
export function chosen<Name extends string, Value>(
  kernel: string,
  names: readonly Name[],
  table: Readonly<Record<Name, Value>>,
  op: number,
): Value {
  const name = names[op];
  if (name === undefined)
    throw new BackendError(`${kernel}: expected a code in [0, ${names.length}), got ${op}`, { op });
  return table[name];
}

/** Throws unless every index lies in [0, size) or equals `ignore`. Called before anything is written. */
export function checkIndices(kernel: string, index: Strided, size: number, ignore?: number): void {
  const M = index.shape[0] as number;
  for (let m = 0; m < M; m++) {
    const value = index.at(m);
    if (value === ignore || (value >= 0 && value < size)) continue;
    throw new BackendError(`${kernel}: expected indices in [0, ${size}), got ${value} at ${m}`, { value, at: m });
  }
}
