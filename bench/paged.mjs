// Decoding a token over a paged cache beside a contiguous one: `node bench/paged.mjs` after a build. Checks that both give
// the same, then times them in turns and prints the median ratio. Pages grow in steps of all sequences, as in decoding.
import {
  attention,
  causal,
  KeyValueCache,
  loadBackend,
  noGrad,
  normal,
  PagedCache,
  RandomStream,
  scope,
  setBackend,
} from 'keyhole';

const backend = await loadBackend();
setBackend(backend);
const random = new RandomStream(1);
const [H, G, D, pageSize, turns] = [8, 8, 64, 64, 60];
const draw = (batch, heads, tokens) => normal([batch, heads, tokens, D], { random });

function grown(batch, length) {
  const caches = {
    contiguous: new KeyValueCache(),
    paged: new PagedCache({ pages: 2 * batch * Math.ceil(length / pageSize), pageSize }),
  };
  for (let at = 0; at < length; at += pageSize)
    scope(() => {
      const [k, v] = [draw(batch, G, pageSize), draw(batch, G, pageSize)];
      caches.contiguous.append(k, v);
      caches.paged.appendInParts(k, v);
    });
  return caches;
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

noGrad(() => {
  for (const [batch, length] of [
    [1, 1024],
    [4, 1024],
    [1, 4096],
    [4, 4096],
    [8, 4096],
  ]) {
    const caches = grown(batch, length);
    const times = { contiguous: [], paged: [] };
    for (let turn = 0; turn < turns; turn++)
      scope(() => {
        const [q, k, v] = [draw(batch, H, 1), draw(batch, G, 1), draw(batch, G, 1)];
        const outs = Object.entries(caches).map(([name, cache]) => {
          const start = performance.now();
          const { out } = attention(q, k, v, { mask: causal(), cache });
          times[name].push(performance.now() - start);
          return out.toArray();
        });
        const gap = outs[0].reduce((most, value, at) => Math.max(most, Math.abs(value - outs[1][at])), 0);
        if (!(gap < 1e-5)) throw new Error(`paged differs from contiguous by ${gap}`);
      });
    const ratio = median(times.paged.map((time, turn) => time / times.contiguous[turn]));
    const pieces = caches.paged.tables.reduce(
      (n, table) => n + table.filter((page, at) => page !== table[at - 1] + 1).length,
      0,
    );
    console.log(
      `batch ${batch}, ${length} held: contiguous ${median(times.contiguous).toFixed(3)} ms, paged ${median(times.paged).toFixed(3)} ms, ratio ${ratio.toFixed(2)}, ${pieces} pieces`,
    );
    for (const cache of Object.values(caches)) cache.dispose();
  }
});
