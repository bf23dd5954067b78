/** Masks compose into one: causal, at most one step back, and padding at the end of the second sequence. */

import { and, attention, causal, keyPadding, loadBackend, peek, setBackend, slidingWindow, zeros } from 'keyhole';

setBackend(await loadBackend());

const [B, H, L, D] = [2, 1, 4, 2];
const q = zeros([B, H, L, D]); // all scores equal, so that only the mask shows
const k = zeros([B, H, L, D]);
const v = zeros([B, H, L, D]);

const mask = and(causal(), slidingWindow({ left: 1 }), keyPadding([4, 2]));
const { lse } = attention(q, k, v, { mask });

const weights = peek({ q, k, lse, mask }).toArray();
for (let b = 0; b < B; b++) {
  console.log(`sequence ${b}`);
  for (let i = 0; i < L; i++) {
    const start = (b * L + i) * L;
    console.log(' ', Array.from(weights.slice(start, start + L), (weight) => weight.toFixed(1)).join(' '));
  }
}
console.log('fully masked rows give zeros and lse', lse.toArray()[7]);
