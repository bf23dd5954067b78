/** Sizes [M, N] of kernels that work row by row. */

export const tables: readonly (readonly [number, number])[] = [
  [0, 5],
  [1, 1],
  [1, 2],
  [3, 7],
  [2, 16],
  [17, 33],
  [5, 127],
  [3, 1030],
  [513, 65],
];
