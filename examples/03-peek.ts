/** Peeking: single weights after the fact, recomputed from q, k and lse. */

import { attention, computeAttentionWeights, loadBackend, normal, peek, RandomStream, setBackend } from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(2);
const make = () => normal([1, 4, 1000, 16], { random }); // 1000 positions: the full pattern would be 4 million weights
const [q, k, v] = [make(), make(), make()];

const { lse } = attention(q, k, v);

// Row 17 of head 2, and of it only the first five keys.
const part = peek({ q, k, lse }, { head: 2, rows: [17], columns: { start: 0, end: 5 } });
console.log('shape', part.shape.join(' × '));
console.log('peeked  ', Array.from(part.toArray(), (weight) => weight.toFixed(6)).join(' '));

// The explicit path computes all of it, slowly and plainly; it must agree.
const weights = computeAttentionWeights(q, k).toArray();
const start = (2 * 1000 + 17) * 1000;
console.log('explicit', Array.from(weights.slice(start, start + 5), (weight) => weight.toFixed(6)).join(' '));
