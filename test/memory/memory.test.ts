/**
 * N20: attention needs no L×S memory. One head of 65,536 positions with the record: at most 64 MiB beyond q, k, v and
 * out and the kernel's fixed working memory; backward grows in proportion to the length. Measured as resident memory of a
 * process of its own, after small calls, because an engine's memory for compiling WebAssembly is not attention's.
 */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { subjects } from '../conformance/subjects.js';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const MiB = 2 ** 20;
/** Dense takes 10^12 operations, so only the fastest subject does it; memory does not depend on the mask. */
const everywhere = process.env.KEYHOLE_FULL ? {} : { left: 255, right: 0 };

interface Question {
  readonly pass: 'forward' | 'backward';
  readonly L: number;
  readonly left?: number;
  readonly right?: number;
}

function extraBytes(options: object, question: Question): number {
  const given = JSON.stringify({ ...options, ...question });
  const output = execFileSync(process.execPath, [path('./peak.mjs'), path('../../dist'), given], { encoding: 'utf8' });
  const { extraBytes: bytes, seconds } = JSON.parse(output);
  if (process.env.KEYHOLE_REPORT) console.info(`${given}: ${(bytes / MiB).toFixed(1)} MiB, ${seconds.toFixed(1)} s`);
  return bytes;
}

const measurable = existsSync('/proc/self/clear_refs');
const compiled = subjects.filter(({ options, backend }) => backend && options.backend !== 'reference');
const fastest = compiled.filter(({ options }) => options.backend === 'native').at(-1);

describe.skipIf(!measurable)('N20 (needs /proc to see peak memory)', { timeout: 600_000 }, () => {
  beforeAll(() => void execFileSync(process.execPath, [path('../../scripts/build.mjs')]), 120_000);

  it.runIf(fastest)('65,536 positions, dense, with the record', () => {
    const options = { ...fastest?.options, threads: undefined };
    expect(extraBytes(options, { pass: 'forward', L: 65_536 })).toBeLessThanOrEqual(64 * MiB);
  });

  it.each(compiled)('$name: 65,536 positions, causal window, with the record', ({ options }) => {
    expect(extraBytes(options, { pass: 'forward', L: 65_536, ...everywhere })).toBeLessThanOrEqual(64 * MiB);
  });

  it.each(compiled)('$name: backward at 16,384 needs at most twice what 8,192 needs', ({ options }) => {
    const [half, whole] = [8192, 16_384].map((L) => extraBytes(options, { pass: 'backward', L, ...everywhere }));
    expect(whole).toBeLessThanOrEqual(2 * (half as number) + 4 * MiB);
    expect(whole).toBeLessThanOrEqual(64 * MiB);
  });
});
