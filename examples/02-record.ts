/** The record: what attention did, from the same fast kernel and without storing the weights. */

import { attention, causal, loadBackend, normal, RandomStream, setBackend } from 'keyhole';

setBackend(await loadBackend());
const random = new RandomStream(1);
const [q, k, v] = [0, 1, 2].map(() => normal([1, 2, 6, 16], { random }));
if (!q || !k || !v) throw new Error('unreachable');

const plain = attention(q, k, v, { mask: causal() });
const { out, record } = attention(q, k, v, { mask: causal(), record: { statistics: true } });

// Looking changes nothing, not by one bit.
const same = out.toArray().every((value, index) => value === plain.out.toArray()[index]);
console.log(`output unchanged by recording: ${same}`);

// Every statistic is one number a row, [B, H, L].
const { batch, heads, queries, statistics } = record.read();
console.log(`rows: ${batch} × ${heads} × ${queries}`);
for (const name of ['keys', 'entropyNats', 'pMax', 'firstMass'] as const) {
  const firstHead = statistics[name].subarray(0, queries);
  console.log(name.padEnd(12), Array.from(firstHead, (value) => value.toFixed(2)).join('  '));
}

// And what needs all rows: which keys were looked at, and where the largest weights are.
const wanted = { received: true, topK: 1 } as const;
const { received, top } = attention(q, k, v, { mask: causal(), record: wanted }).record.read();
console.log('received    ', Array.from(received?.subarray(0, queries) ?? [], (value) => value.toFixed(2)).join('  '));
console.log('largest at  ', Array.from(top?.keys.subarray(0, queries) ?? []).join('  '));
