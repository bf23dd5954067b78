/** The doctor on a head that lost its scale: records of a few steps in, findings out. */

import { attention, loadBackend, normal, RandomStream, setBackend } from 'keyhole';
import { type AttentionEntry, diagnose, summariseAttention } from 'keyhole/monitor';

setBackend(await loadBackend());
const random = new RandomStream(1);
const make = () => normal([1, 2, 32, 64], { random }); // [batch, heads, length, width]

const heads: AttentionEntry[] = [];
for (const step of [10, 20, 30, 40]) {
  const scale = step / 10; // grows, where it should stay 1/8
  const { record } = attention(make(), make(), make(), { scale, record: { statistics: true } });
  const captured = [{ path: 'blocks.0.attention', kind: 'self' as const, record: record.read() }];
  heads.push(...summariseAttention(captured).map((summary) => ({ ...summary, step })));
}

for (const { severity, rule, head, measured, evidence, remedy } of diagnose({ heads })) {
  console.log(`${severity} ${rule}, head ${head}: ${measured.toPrecision(3)}; ${evidence}`);
  console.log(`  ${remedy}`);
}
