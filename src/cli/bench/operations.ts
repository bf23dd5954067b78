/**
 * How many multiplications and additions a kernel call is worth: useful ones only, so pairs that the mask forbids count
 * for nothing. Softmax, norms and the like do not count.
 */

import type { Backend, KernelName, View } from '../../backend/contract.js';

/** Which keys a query may see, by position. */
export interface Band {
  readonly left: number;
  readonly right: number;
  readonly offset: number;
}

/** Pairs (i, j) with `i + offset - left <= j <= i + offset + right` and j below `keys`. */
export function pairsInBand(queries: number, keys: number, { left, right, offset }: Band): number {
  let pairs = 0;
  for (let i = offset; i < queries + offset; i++) {
    pairs += Math.max(0, Math.min(keys, i + right + 1) - Math.max(0, i - left));
  }
  return pairs;
}

/** Per pair and head: q·k and p·v. */
export function forwardOperations(pairs: number, D: number, Dv = D): number {
  return 2 * pairs * (D + Dv);
}

/** Per pair and head: q·k again, dv, dp, dq and dk. */
export function backwardOperations(pairs: number, D: number, Dv = D): number {
  return 2 * pairs * (3 * D + 2 * Dv);
}

/** A backend that counts the operations of matmul and attention while it passes them on. */
export function counting(backend: Backend): { readonly backend: Backend; readonly operations: () => number } {
  let operations = 0;
  const run = (kernel: KernelName, operands: object, scalars: object): void => {
    operations += operationsOf(kernel, operands as Views, scalars as Readonly<Record<string, number>>);
    backend.run(kernel, operands as never, scalars as never);
  };
  const wrapped: Backend = {
    info: backend.info,
    alloc: (dtype, length) => backend.alloc(dtype, length),
    free: (buffer) => backend.free(buffer),
    read: (buffer, offset, length) => backend.read(buffer, offset, length),
    write: (buffer, offset, values) => backend.write(buffer, offset, values),
    run,
  };
  return { backend: wrapped, operations: () => operations };
}

type Views = Readonly<Record<string, View>>;
type Sizes = [number, number, number, number];

/** Key lengths and boolean masks are not looked into: their pairs all count. */
function operationsOf(kernel: KernelName, { a, b, q, v }: Views, scalars: Readonly<Record<string, number>>): number {
  if (kernel === 'matmul_f32') {
    const [[A, B, M, K], [, , , N]] = [a, b].map(sizesOf) as [Sizes, Sizes];
    return 2 * A * B * M * K * N;
  }
  if (kernel !== 'attention_forward_f32' && kernel !== 'attention_backward_f32') return 0;
  const [[B, H, L, D], [, , S, Dv]] = [q, v].map(sizesOf) as [Sizes, Sizes];
  const pairs = B * H * pairsInBand(L, S, scalars as unknown as Band);
  return kernel === 'attention_forward_f32' ? forwardOperations(pairs, D, Dv) : backwardOperations(pairs, D, Dv);
}

function sizesOf(view: View | undefined): Sizes {
  return (view?.shape ?? []) as unknown as Sizes;
}
