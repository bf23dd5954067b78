/**
 * Attention over 16,384 tokens as a page: the kernel pools the pattern to 256 × 256 while it runs, and the page
 * recomputes whatever is looked at more closely from q, k and lse. No 16,384 × 16,384 buffer exists anywhere.
 */

import { writeFileSync } from 'node:fs';
import { attention, causal, loadBackend, normal, RandomStream, setBackend } from 'keyhole';
import { renderTilePage } from 'keyhole/viz';

setBackend(await loadBackend());
const random = new RandomStream(1);
const [L, D, bins] = [16_384, 32, 256];
const make = () => normal([1, 1, L, D], { random }); // [batch, heads, length, width]

const [q, k, v] = [make(), make(), make()];
const { lse, record } = attention(q, k, v, { mask: causal(), record: { tiles: bins } });
const { tiles } = record.read();

const page = renderTilePage({
  title: 'One head over 16,384 tokens',
  tokens: Array.from({ length: L }, (_, position) => `word ${position}`),
  tiles: { bins, values: tiles?.values ?? [] },
  q: q.toArray(),
  k: k.toArray(),
  lse: lse.toArray(),
  causal: true,
});
writeFileSync(process.env.OUT ?? '/dev/null', page);
console.log(`bins ${bins} x ${bins}, page under 8 MB: ${page.length < 8e6}`);
