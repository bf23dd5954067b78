// What is compared, and the numbers it is computed on. Attention inputs lie in memory as [B, L, H, D], the layout that
// projections write and that every peer can read.

/** Contestants that run compiled code of this processor, those that run WebAssembly, and those that need patience. */
const native = ['keyhole', 'onnxruntime-node'];
const portable = ['keyhole-wasm', 'onnxruntime-web', 'tfjs-wasm', 'jax-js'];

export const cases = [
  { name: 'matmul 1024³', kind: 'matmul', M: 1024, N: 1024, K: 1024, contestants: [...native, ...portable] },
  { name: 'dense', kind: 'attention', B: 1, H: 12, L: 2048, D: 64, causal: false, contestants: native },
  { name: 'causal', kind: 'attention', B: 1, H: 12, L: 2048, D: 64, causal: true, contestants: native },
  {
    ...{ name: 'dense', kind: 'attention', B: 1, H: 12, L: 512, D: 64, causal: false },
    contestants: [...native, ...portable, 'ruvector'],
  },
];

/** Useful operations: pairs that causality forbids do not count. */
export function operationsOf({ kind, M, N, K, B, H, L, D, causal }) {
  if (kind === 'matmul') return 2 * M * N * K;
  return 4 * B * H * D * (causal ? (L * (L + 1)) / 2 : L * L);
}

/** Where the contestants' results are compared: 997 places spread over the result. */
export function sampleOf(values) {
  const step = Math.max(1, Math.floor(values.length / 997));
  return Array.from({ length: Math.floor(values.length / step) }, (_, index) => values[index * step]);
}

/** `count` uniform numbers in [-√3, √3), of variance 1, from mulberry32; the same in every process. */
export function numbers(count, seed) {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1) * Math.sqrt(3);
  });
}

/** The inputs of a case, flat: a and b, or q, k and v. */
export function inputsOf({ kind, M, N, K, B, H, L, D }) {
  if (kind === 'matmul') return { a: numbers(M * K, 1), b: numbers(K * N, 2) };
  const size = B * L * H * D;
  return { q: numbers(size, 1), k: numbers(size, 2), v: numbers(size, 3) };
}
