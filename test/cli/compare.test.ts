/** `keyhole compare` at a reduced size: every variant trained in a process of its own, one JSON object, one report. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { variantsOf } from '../../src/cli/comparePlan.js';
import { findTask } from '../../src/tasks/registry.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'keyhole-compare-'));
afterAll(() => rmSync(folder, { recursive: true }));

const small = 'stories=100 steps=8 warmupSteps=2 evaluateEvery=8 width=16 heads=2 hidden=16 layers=1'.split(' ');

describe('keyhole compare', () => {
  it('trains variants with seeds and reports means, spread, cost and pictures', { timeout: 300_000 }, () => {
    execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root });
    const chosen = ['--only', 'mean pooling', 'near', '--variants', 'near:window=4', '--seeds', '2'];
    const args = ['dist/cli/main.js', 'compare', 'stories', ...chosen, '--out', join(folder, 'c'), '--json', '--set'];
    const printed = execFileSync(process.execPath, [...args, ...small], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
    const { variants, metric } = JSON.parse(printed);
    expect(metric).toBe('accuracy');
    expect(variants.map(({ name }: { name: string }) => name)).toEqual(['multi-head', 'mean pooling', 'near']);
    for (const { values, mean, parameters, multiplyAdds } of variants) {
      expect(values).toHaveLength(2);
      expect(mean).toBeCloseTo((values[0] + values[1]) / 2, 9);
      expect(Math.min(parameters, multiplyAdds)).toBeGreaterThan(0);
    }
    expect(readFileSync(join(folder, 'c', 'report.html'), 'utf8')).toContain('Accuracy by distance');
  });

  it('has ten variants of a classifier, and says what is wrong with others', () => {
    expect(variantsOf(findTask('spam'), []).map(({ name }) => name)).toHaveLength(10);
    expect(() => variantsOf(findTask('novel'), [])).toThrow(/expected --variants for novel/);
    expect(() => variantsOf(findTask('spam'), ['wide'])).toThrow(/name:key=value/);
    expect(() => variantsOf(findTask('spam'), [], ['nothing'])).toThrow(/expected --only of multi-head/);
  });
});
