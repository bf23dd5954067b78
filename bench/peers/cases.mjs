// What is compared, and the numbers it is computed on. Attention inputs lie in memory as [B, L, H, D], the layout that
// projections write and that every peer can read; caches as [B, G, S, D].

/** Contestants that run compiled code of this processor, and those that run WebAssembly. */
const native = ['keyhole', 'onnxruntime-node'];
const portable = ['keyhole-wasm', 'onnxruntime-web', 'tfjs-wasm', 'jax-js'];
/** The same with the default record of every head and row, which no peer has. */
const recorded = ['keyhole-record', 'keyhole-wasm-record'];

const long = { kind: 'attention', B: 1, H: 12, L: 2048, D: 64 };
const short = { ...long, L: 512 };

/**
 * `atLeast`: what the library promises, as time of a contestant over time of `keyhole` or, for WebAssembly, `keyhole-wasm`.
 * jax-js and TensorFlow.js have no causal attention without a matrix of masks.
 */
export const cases = [
  {
    ...{ name: 'matmul 1024³', kind: 'matmul', M: 1024, N: 1024, K: 1024, contestants: [...native, ...portable] },
    atLeast: { 'onnxruntime-node': 1.3 },
  },
  {
    ...{ ...long, name: 'dense', causal: false, contestants: [...native, ...portable, ...recorded] },
    atLeast: { 'onnxruntime-node': 1.2, 'onnxruntime-web': 2, 'tfjs-wasm': 10 },
  },
  {
    ...{ ...long, name: 'causal', causal: true },
    contestants: [...native, 'keyhole-wasm', 'onnxruntime-web', ...recorded],
    atLeast: { 'onnxruntime-node': 4, 'onnxruntime-web': 2 },
  },
  {
    ...{ ...short, name: 'dense', causal: false, contestants: [...native, ...portable, ...recorded, 'ruvector'] },
    atLeast: { 'onnxruntime-web': 2, 'tfjs-wasm': 10 },
  },
  {
    ...{ name: 'decode', kind: 'decode', B: 1, H: 32, G: 8, S: 8192, D: 128 },
    contestants: [...native, 'keyhole-wasm', 'onnxruntime-web'],
  },
];

/** Useful operations: pairs that causality forbids do not count. */
export function operationsOf({ kind, M, N, K, B, H, L, S, D, causal }) {
  if (kind === 'matmul') return 2 * M * N * K;
  if (kind === 'decode') return 4 * B * H * D * S;
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

/**
 * The inputs of a case, flat: a and b; q, k and v as [B, L, H, D]; or one query q [B, 1, H, D] with its own new key and
 * value [B, 1, G, D] and a cache [B, G, S - 1, D] of the keys and values before.
 */
export function inputsOf({ kind, M, N, K, B, H, G, L, S, D }) {
  if (kind === 'matmul') return { a: numbers(M * K, 1), b: numbers(K * N, 2) };
  if (kind === 'decode') {
    const [one, cached] = [B * G * D, B * G * (S - 1) * D];
    const fresh = { q: numbers(B * H * D, 1), k: numbers(one, 2), v: numbers(one, 3) };
    return { ...fresh, pastKey: numbers(cached, 4), pastValue: numbers(cached, 5) };
  }
  const size = B * L * H * D;
  return { q: numbers(size, 1), k: numbers(size, 2), v: numbers(size, 3) };
}
