/** A long text in a real browser: the page recomputes exactly what the weights are, within its time and memory. */

import { afterAll, describe, expect, it } from 'vitest';
import { ShapeError, UsageError } from '../../src/core/errors.js';
import { RandomStream } from '../../src/core/random.js';
import { type LongAttention, renderTilePage } from '../../src/viz/tilePage.js';
import { noBrowser, PageTester, slow, violations } from './browser.js';

const D = 4;
/** Instead of the last tokens but these. */
const hostile = ['</script><b>', '\u0000\u202e\u001b[31m', 'a'.repeat(2 ** 20)];

/** Tokens of a text of L that lie in a bin. */
function tokensIn(binOf: (position: number) => number, L: number, bin: number): number {
  return Array.from({ length: L }, (_, position) => binOf(position)).filter((one) => one === bin).length;
}

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
  const binOf = (position: number): number => Math.floor((position * bins) / L);
  const rowsIn = Array.from({ length: bins }, (_, bin) => tokensIn(binOf, L, bin));
  const values = new Float64Array(bins * bins);
  weights.forEach((line, row) => {
    line.forEach((weight, column) => {
      const at = binOf(row) * bins + binOf(column); // as the kernel pools: the contract, `tiles`
      values[at] = (values[at] ?? 0) + weight / (rowsIn[binOf(row)] ?? 1);
    });
  });
  const tokens = Array.from({ length: L }, (_, at) => hostile[at] ?? `t${at}`);
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

  it('pools lengths that are no multiple of its bins, hatches what is forbidden, and changes its scale', async () => {
    const page = await tester.open(renderTilePage(longAttention(100, 32)));
    const figure = page.locator('.tile-map');
    const read = async (...keys: readonly string[]): Promise<string> => {
      for (const key of keys) await page.keyboard.press(key);
      return (await figure.locator('output').textContent()) ?? '';
    };
    await figure.locator('.plot').focus();
    expect(await read()).toMatch(/^queries 50 to 53, keys 50 to 53: mean mass 0\.\d{4}$/);
    expect(await read('ArrowUp')).toBe('queries 47 to 49, keys 50 to 53: mean mass masked');
    const pixels = (): Promise<string> =>
      page.locator('canvas').evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());
    const [logarithmic, low] = [await pixels(), await figure.locator('.low').textContent()];
    await page.getByLabel('logarithmic').uncheck();
    expect(await figure.locator('.low').textContent()).toBe('0.0000');
    expect(low).not.toBe('0.0000');
    expect(await pixels()).not.toBe(logarithmic);
    const colours = await page.locator('canvas').evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const { width } = canvas;
      const data = canvas.getContext('2d')?.getImageData(width - 40, 0, 16, 16).data ?? [];
      return new Set(Array.from({ length: 256 }, (_, at) => Array.from(data.slice(4 * at, 4 * at + 4)).join())).size;
    });
    expect(colours).toBe(2); // hatching and paper
    expect(tester.problems).toEqual([]);
    await page.context().close();
  });

  it('keeps hostile tokens inert and short', async () => {
    const html = renderTilePage(longAttention(64, 16));
    expect(html.length).toBeLessThan(100_000);
    const page = await tester.open(html);
    expect(await page.locator('b').count()).toBe(0);
    await page.locator('.plot').focus();
    for (const key of ['Home', ...Array(8).fill('ArrowUp'), 'Enter']) await page.keyboard.press(key);
    await page.locator('[data-size="16"]').waitFor();
    for (const key of [...Array(8).fill('ArrowUp'), ...Array(8).fill('ArrowLeft'), 'ArrowDown', 'ArrowRight'])
      await page.keyboard.press(key);
    expect(await page.locator('output').textContent()).toMatch(/^\u2400\S+\u241b\[31m \(1\) attends to/);
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
