/**
 * Hostile JavaScript values at every function that the addon exports, in a process of its own: a crash there is a
 * failure here. The seed of the random part is printed; `KEYHOLE_FUZZ_SEED` repeats it, `KEYHOLE_FUZZ_RUNS` lengthens it.
 */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { addonPath } from '#host';
import { signatures } from '../../src/backend/signature.js';

const script = fileURLToPath(new URL('./hostile.mjs', import.meta.url));
const runs = process.env.KEYHOLE_FUZZ_RUNS ?? '2000';
const seed = process.env.KEYHOLE_FUZZ_SEED ?? String(Date.now() % 2 ** 31);
const exported = ['call', 'copyRate', 'lastTarget', 'misalignment', 'multiplyAddRate', 'targets'];

it.skipIf(!existsSync(addonPath()))(`the addon survives everything (seed ${seed})`, () => {
  const given = [script, addonPath(), String(signatures.binary_f32.index), runs, seed];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, given, { encoding: 'utf8' });
  expect({ status, signal, stderr }, `seed ${seed}`).toMatchObject({ status: 0, signal: null });
  const { refused, accepted, functions, faults } = JSON.parse(stdout);
  expect(faults, `seed ${seed}`).toEqual([]);
  expect(functions.sort()).toEqual(exported);
  expect(refused).toBeGreaterThan(500);
  expect(accepted).toBeGreaterThan(10);
});
