// @ruvector/attention, which takes one query at a time and keys as arrays of vectors.
import { createRequire } from 'node:module';
import { versionOf } from './versions.mjs';

const { DotProductAttention } = createRequire(import.meta.url)('@ruvector/attention');

export async function prepare({ B, L, H, D }, { q, k, v }) {
  const attention = new DotProductAttention(D);
  const vector = (values, b, i, h) => values.subarray(((b * L + i) * H + h) * D, ((b * L + i) * H + h + 1) * D);
  const vectors = (values, b, h) => Array.from({ length: L }, (_, i) => vector(values, b, i, h));
  const heads = Array.from({ length: B * H }, (_, index) => {
    const [b, h] = [Math.floor(index / H), index % H];
    return { b, h, keys: vectors(k, b, h), values: vectors(v, b, h) };
  });
  const out = new Float32Array(B * L * H * D);
  const run = () => {
    for (const { b, h, keys, values } of heads) {
      for (let i = 0; i < L; i++)
        out.set(attention.compute(vector(q, b, i, h), keys, values), ((b * L + i) * H + h) * D);
    }
    return out;
  };
  return { version: versionOf('@ruvector/attention'), run, read: (result) => result };
}
