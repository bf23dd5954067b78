// How long rollout to one target takes at 16,384 tokens and 6 layers, beside what this machine's multiply-adds allow:
//
//     npm run build && node bench/rollout.mjs [heads=1] [width=64] [length=16384] [layers=6]
//
// First compares a short stack with the explicit product of weights. Every layer but the last needs the score of every
// allowed pair once, 2·D operations, which is H·L²·D a causal layer; the rate of a square matmul in the same run says how
// long that takes at least. The exponential of every score comes on top.
import { attention, causal, loadBackend, matmul, normal, RandomStream, scope, setBackend } from 'keyhole';
import { computeAttentionWeights, rollout } from 'keyhole/attention';

const [H = 1, D = 64, L = 16_384, layers = 6] = process.argv.slice(2).map(Number);
const backend = await loadBackend();
setBackend(backend);
const random = new RandomStream(1);
const mask = causal();

function layerOf(heads, length) {
  const [q, k, v] = [0, 1, 2].map(() => normal([1, heads, length, D], { random }));
  return { q, k, mask, lse: attention(q, k, v, { mask }).lse };
}

function seconds(work, times) {
  const taken = Array.from({ length: times }, () => {
    const start = performance.now();
    scope(() => void work());
    return (performance.now() - start) / 1000;
  });
  return { median: taken.sort((a, b) => a - b)[times >> 1], least: taken[0] };
}

function peakMemoryMb() {
  return process.resourceUsage().maxRSS / 1024;
}

function checkShort() {
  const [heads, length] = [2, 40];
  const stack = Array.from({ length: 3 }, () => layerOf(heads, length));
  let row = Array.from({ length }, (_, at) => Number(at === length - 1));
  for (const { q, k } of stack.toReversed()) {
    const p = computeAttentionWeights(q, k, { mask }).toArray(); // [1, H, L, L]
    const share = (i, j) => (p[i * length + j] + p[(length + i) * length + j]) / heads;
    row = row.map((kept, j) => (kept + row.reduce((sum, r, i) => sum + r * share(i, j), 0)) / 2);
  }
  const error = Math.max(
    ...rollout(stack, length - 1)
      .toArray()
      .map((value, at) => Math.abs(value - row[at])),
  );
  if (!(error < 1e-5)) throw new Error(`rollout is wrong: error ${error}`);
  console.log(`equal to the explicit product within ${error.toExponential(1)}`);
}

checkShort();
const stack = Array.from({ length: layers }, () => layerOf(H, L));
const square = normal([1536, 1536], { random });
const peak = (2 * 1536 ** 3) / seconds(() => matmul(square, square), 9).least / 1e9;
const before = peakMemoryMb();
const { median, least } = seconds(() => rollout(stack, L - 1), 3);
const operations = (layers - 1) * H * L * L * D;
const { target, threads } = backend.info;
console.log(`${target}, ${threads} threads; matmul reaches ${peak.toFixed(0)} GFLOP/s`);
console.log(
  `H ${H}, D ${D}, L ${L}, ${layers} layers: median ${median.toFixed(2)} s a target, least ${least.toFixed(2)} s`,
);
console.log(
  `scores alone: ${(operations / 1e9).toFixed(0)} GFLOP, at that rate ${(operations / 1e9 / peak).toFixed(2)} s`,
);
console.log(
  `memory: ${before.toFixed(0)} MB at most before, ${(peakMemoryMb() - before).toFixed(0)} MB more while rolling out`,
);
