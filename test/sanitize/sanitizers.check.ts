/** Run by vitest.sanitize.config.ts only: the sanitizers are there. An addon without them would pass everything. */

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { addonPath } from '#host';
import { addon } from '../../src/backend/native/addon.js';

it('the addon that runs was built with AddressSanitizer and UBSan, for every target', () => {
  expect(addon().targets().length).toBeGreaterThan(0);
  const symbols = readFileSync(addonPath()).toString('latin1');
  expect(symbols).toContain('__asan_report_load4');
  expect(symbols).toContain('__ubsan_handle_');
});

it.runIf(process.platform === 'linux')('the runtime of AddressSanitizer is loaded into this process', () => {
  expect(readFileSync('/proc/self/maps', 'utf8')).toMatch(/libasan/);
});
