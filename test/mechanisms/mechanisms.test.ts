/**
 * Every mechanism of mechanisms.ts against its paper: forward and gradients over random shapes in float64, then in
 * float32 on the native and WebAssembly backends, then record, peek and cache. With KEYHOLE_MECHANISMS=FILE the outcome
 * is written there, for docs/mechanisms.md.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../../src/backend/reference/index.js';
import { type BackendName, loadBackend } from '../../src/backend/registry.js';
import { setBackend } from '../../src/tensor/index.js';
import { expectAgreement, single } from './agree.js';
import { type Sizes, tableSizes } from './mechanism.js';
import { mechanisms } from './mechanisms.js';

const exactBackend = createReferenceBackend({ precision: 'f64' });
const outcome = new Map(mechanisms.map(({ name }) => [name, new Set<string>()]));

/** B is 2 and L, S at most 7, as the masks of the list expect. */
const randomSizes: fc.Arbitrary<Sizes> = fc
  .record({
    G: fc.integer({ min: 1, max: 2 }),
    share: fc.integer({ min: 1, max: 2 }),
    L: fc.integer({ min: 1, max: 5 }),
    S: fc.integer({ min: 1, max: 7 }),
    D: fc.integer({ min: 1, max: 4 }),
    Dv: fc.integer({ min: 1, max: 4 }),
  })
  .map(({ G, share, ...rest }) => ({ B: 2, H: G * share, G, ...rest }));

describe.each(mechanisms)('$name', ({ name, agreement, ...looks }) => {
  const proves = (what: string, proof: () => void | Promise<void>): void =>
    it(what, async () => {
      setBackend(exactBackend);
      await proof();
      for (const column of what.split(' and ')) outcome.get(name)?.add(column);
    });

  proves('forward and backward', () => {
    fc.assert(
      fc.property(randomSizes, (sizes) => expectAgreement(agreement(sizes), exactBackend)),
      { numRuns: 5 },
    );
  });
  for (const backend of ['native', 'wasm'] as const satisfies readonly BackendName[])
    proves(backend, async () => {
      const loaded = await loadBackend({ backend });
      setBackend(loaded);
      expectAgreement(agreement(tableSizes), loaded, single);
    });
  for (const look of ['record', 'peek', 'cache'] as const) {
    const proof = looks[look];
    if (proof) proves(look, () => proof(exactBackend));
  }
});

it('has something to say about every mechanism', () => {
  for (const { name, use, cost, paper } of mechanisms)
    expect([name, use, cost, paper].filter((text) => text.length < 3 || text.includes('|'))).toEqual([]);
  expect(new Set(mechanisms.map(({ name }) => name)).size).toBe(mechanisms.length);
});

afterAll(() => {
  const file = process.env.KEYHOLE_MECHANISMS;
  const rows = mechanisms.map(({ name, use, cost, paper }) => ({
    ...{ name, use, cost, paper },
    proved: [...(outcome.get(name) ?? [])],
  }));
  if (file) writeFileSync(file, JSON.stringify(rows));
});

// The page is being written when KEYHOLE_MECHANISMS is set.
it.skipIf(process.env.KEYHOLE_MECHANISMS)('stands in docs/mechanisms.md', () => {
  const page = readFileSync(new URL('../../docs/mechanisms.md', import.meta.url), 'utf8');
  const rows = page
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(' | ')[0]?.slice(2));
  expect(rows.slice(2)).toEqual(mechanisms.map(({ name }) => name));
});
