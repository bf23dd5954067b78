/** Between tensors and what lies in files: parameters by name, out and in, with every name and shape checked. */

import { FormatError } from '../core/errors.js';
import { formatShape, sameShape } from '../core/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { loadArray, type StoredArray, storeArray } from './safetensors.js';

/** Copies tensors out of the backend, under the same names. */
export function storeTensors(tensors: ReadonlyMap<string, Tensor>): Map<string, StoredArray> {
  return new Map([...tensors].map(([name, tensor]) => [name, storeArray(tensor.toArray(), tensor.shape)]));
}

/**
 * Overwrites tensors with stored arrays of the same names and shapes. Nothing is written unless everything fits.
 *
 * Errors: FormatError naming the first array that is missing, unknown, or of another shape.
 */
export function loadTensors(tensors: ReadonlyMap<string, Tensor>, arrays: ReadonlyMap<string, StoredArray>): void {
  for (const name of arrays.keys()) {
    if (!tensors.has(name)) throw misfit(name, 'a name of this model', 'an unknown one');
  }
  const values = [...tensors].map(([name, tensor]) => {
    const array = arrays.get(name);
    if (array === undefined) throw misfit(name, `an array ${formatShape(tensor.shape)}`, 'none');
    if (!sameShape(array.shape, tensor.shape)) {
      throw misfit(name, `shape ${formatShape(tensor.shape)}`, formatShape(array.shape));
    }
    return [tensor, loadArray(array, name)] as const;
  });
  for (const [tensor, array] of values) tensor.write(array);
}

function misfit(name: string, expected: string, got: string): FormatError {
  return new FormatError(
    `loadTensors: ${name}: expected ${expected}, got ${got}; the checkpoint belongs to another configuration`,
  );
}
