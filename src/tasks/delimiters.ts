/** Which keys separate and do not mean: what head roles need to know of a batch. Next: examine.ts. */

import { tensor } from '../tensor/create.js';
import type { Tensor } from '../tensor/tensor.js';

/** 1 where an id separates: u8 of the shape of `ids`. */
export function delimitersIn(ids: Tensor, separates: (id: number) => boolean): Tensor {
  const found = Uint8Array.from(ids.toArray(), (id) => Number(separates(id)));
  return tensor(found, ids.shape, { dtype: 'u8' });
}

/** Space and punctuation alone. */
export function isSeparator(text: string): boolean {
  return /^[\s\p{P}]+$/u.test(text);
}
