/**
 * docs/masks.md: its pictures are what `maskMapSvg` draws today (`npx vitest run test/docs/masks.test.ts -u` renews them),
 * every mask has one, and every mask that is exported has a section.
 */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  and,
  bigBird,
  blockSparse,
  causal,
  compileMask,
  dilated,
  documents,
  globalTokens,
  keyPadding,
  type Mask,
  maskMod,
  maskPicture,
  not,
  or,
  prefixLm,
  slidingWindow,
  strided,
} from '../../src/attention/index.js';
import { maskMapSvg } from '../../src/viz/index.js';

const page = readFileSync(fileURLToPath(new URL('../../docs/masks.md', import.meta.url)), 'utf8');
const L = 1024;

/** By file name; each as the page's section shows it. */
const drawn: Readonly<Record<string, Mask>> = {
  causal: causal(),
  slidingWindow: slidingWindow({ left: 128, right: 128 }),
  dilated: and(causal(), dilated({ step: 128, left: 512 })),
  prefixLm: prefixLm([320]),
  keyPadding: keyPadding([700]),
  documents: and(causal(), documents([300, 100, 400, 224])),
  globalTokens: or(slidingWindow({ left: 64, right: 64 }), globalTokens([0, 500])),
  blockSparse: blockSparse(
    Array.from({ length: 8 }, (_, row) => Array.from({ length: 8 }, (_, column) => (row + column) % 3 === 0)),
    { block: 128 },
  ),
  bigBird: bigBird({ window: 3, global: 1, random: 2 }),
  strided: strided({ stride: 256 }),
  maskMod: maskMod((_b, _h, q, k) => k <= q && Math.floor(k / 100) % 2 === 0, { perBatch: false, perHead: false }),
  not: and(causal(), not(slidingWindow({ left: 256 }))),
};

describe('docs/masks.md', () => {
  it.each(Object.entries(drawn))('the picture of %s is up to date', async (name, mask) => {
    const svg = maskMapSvg(maskPicture(compileMask(mask, { L }), { name }), { size: 192, theme: 'light' });
    await expect(`${svg}\n`).toMatchFileSnapshot(`../../docs/masks/${name}.svg`);
    expect(page).toContain(`(masks/${name}.svg)`);
    expect(page).toContain(`## ${name}`);
  });
});
