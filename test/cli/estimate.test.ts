/** `keyhole estimate` as a program, and its page: JSON, the table, wrong use, and the shares that docs/estimate.md lists. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { measuredShares } from '../../src/models/estimate/time.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const small = '--layers 2 --heads 4 --width 64 --length 256 --batch 1 --vocabulary 100 --peak 100 --copy 20'.split(' ');

function estimate(...more: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const args = [join(root, 'dist', 'cli', 'main.js'), 'estimate', ...small, ...more];
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' } });
}

beforeAll(() => void spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')]), 120_000);

describe('keyhole estimate', () => {
  it('prints one JSON object with every mechanism and the cheapest', () => {
    const { status, stdout } = estimate('--mask', 'window:32', '--reach', '60', '--train', '--json');
    expect(status).toBe(0);
    const { estimates, cheapest, machine } = JSON.parse(stdout);
    expect(machine).toEqual({ peakGflops: 100, copyGigabytesPerSecond: 20 });
    expect(estimates[0]).toMatchObject({ mechanism: 'window:32', reach: { oneLayer: 32, allLayers: 64 } });
    expect(estimates.every(({ predictedMs }: { predictedMs: number }) => predictedMs > 0)).toBe(true);
    expect(cheapest.reach.allLayers).toBeGreaterThanOrEqual(60);
  });

  it('calls its times predictions', () => {
    const { stdout } = estimate('--reach', '60');
    expect(stdout).toContain('Times are predictions, from a peak of 100.0 GFLOP/s and 20.0 GB/s');
    expect(stdout).toMatch(/Cheapest that reaches 60 back: \S+, \d key\/value head/);
  });

  it.each([
    [['--heads', '5'], 1, 'width E = 64 a multiple of heads H, got H = 5'],
    [['--mask', 'windw:3'], 2, 'expected a mechanism like full, causal'],
    [['--reach', '256'], 1, 'reach a whole number from 0 to length - 1 = 255, got 256'],
    [['--layers', 'two'], 1, 'layers a whole number >= 1, got NaN'],
    [['--peak', '0'], 2, '--peak and --copy above 0, got 0 and 20'],
  ])('refuses %j', (more, code, message) => {
    const { status, stderr } = estimate(...more);
    expect(stderr).toContain(message);
    expect(status).toBe(code);
  });
});

describe('docs/estimate.md', () => {
  it('lists the shares that the prediction uses', () => {
    const page = readFileSync(join(root, 'docs', 'estimate.md'), 'utf8');
    const listed = [...page.matchAll(/^\| `(\w+)` \| \w+ \| ([\d., ]+) \|/gm)].map(([, name, values]) => [
      name,
      (values ?? '').split(',').map(Number),
    ]);
    const used = Object.entries(measuredShares).map(([name, share]) => [
      name,
      typeof share === 'number' ? [share] : share.map(({ ratio }) => ratio),
    ]);
    expect(listed).toEqual(used);
  });
});
