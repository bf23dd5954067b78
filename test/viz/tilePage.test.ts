/** A long text in a real browser: the page recomputes exactly what the weights are, within its time and memory. */

import { afterAll, describe, expect, it } from 'vitest';
import { ShapeError, UsageError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/random.js';
import { type LongAttention, renderTilePage } from '../../src/viz/tilePage.js';
import { noBrowser, PageTester, slow, violations } from './browser.js';

const D = 4;

/** Causal attention over L tokens, by the formula, its lse and its pooled pattern. */
function longAttention(L: number, bins: number): LongAttention & { readonly weights: number[][] } {
  const random = new RandomStream(3);
  const q = Float32Array.from({ length: L * D }, () => 2 * random.normal());
  const k = Float32Array.from({ length: L * D }, () => 2 * random.normal());
  const score = (row: number, column: number): number => {
    let dot = 0;
    for (let d = 0; d < D; d++) dot += (q[row * D + d] ?? 0) * (k[column * D + d] ?? 0);
    return dot / 2;
  };
  const lse = Float32Array.from({ length: L }, (_, row) =>
    Math.log(
      Array.from({ length: row + 1 }, (_unused, column) => Math.exp(score(row, column))).reduce((a, b) => a + b),
    ),
  );
  const weights = Array.from({ length: L }, (_, row) =>
    Array.from({ length: L }, (_unused, column) => (column > row ? 0 : Math.exp(score(row, column) - (lse[row] ?? 0)))),
  );
  const each = L / bins;
  const values = new Float64Array(bins * bins);
  weights.forEach((line, row) => {
    line.forEach((weight, column) => {
      const at = Math.floor(row / each) * bins + Math.floor(column / each);
      values[at] = (values[at] ?? 0) + weight / each;
    });
  });
  const tokens = Array.from({ length: L }, (_, at) => (at === 3 ? '</script><b>' : `t${at}`));
  return { title: 'Long', tokens, tiles: { bins, values }, q, k, lse, causal: true, weights };
}

describe('renderTilePage', () => {
  it('refuses numbers that do not fit, and texts too long', () => {
    const fine = longAttention(8, 4);
    expect(() => renderTilePage({ ...fine, lse: [1] })).toThrow(ShapeError);
    const tokens = Array.from({ length: 40_000 }, () => 'a');
    expect(() => renderTilePage({ ...fine, tokens })).toThrow(UsageError);
  });
});

describe.skipIf(noBrowser !== '')(`a map of a long text in Chromium${noBrowser}`, () => {
  const tester = new PageTester();
  afterAll(() => tester.close());

  it('shows what was pooled, then recomputes single weights that are those of the formula', async () => {
    const attention = longAttention(256, 32);
    const page = await tester.open(renderTilePage(attention));
    const figure = page.locator('.tile-map');
    await figure.locator('.plot').focus();
    expect(await figure.locator('output').textContent()).toMatch(
      /^queries 128 to 135, keys 128 to 135: mean mass 0\.\d{4}$/,
    );
    await page.keyboard.press('Enter');
    await figure.and(page.locator('[data-size="64"]')).waitFor();
    const sentence = (await figure.locator('output').textContent()) ?? '';
    const [, row, column, weight] = /^t\d+ \((\d+)\) attends to t\d+ \((\d+)\): (\S+)$/.exec(sentence) ?? [];
    expect(Number(weight)).toBeCloseTo(attention.weights[Number(row)]?.[Number(column)] ?? -1, 3);
    await page.keyboard.press('Escape');
    await figure.and(page.locator('[data-size="256"]')).waitFor();
    expect(tester.problems).toEqual([]);
    await page.context().close();
  });

  it('has no axe violation', slow, async () => {
    const page = await tester.open(renderTilePage(longAttention(64, 16)), 'dark');
    expect(await page.locator('b').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });
});
