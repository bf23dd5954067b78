/** The head view in a real browser: heads, threshold, parts and tokens choose the lines. */

import { afterAll, describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/core/errors.js';
import type { AttentionPicture } from '../../src/core/records.js';
import { headViewSvg } from '../../src/viz/headView.js';
import { renderAttentionHtml } from '../../src/viz/inspect.js';
import { noBrowser, PageTester, slow, violations } from './browser.js';

const tokens = ['[CLS]', 'the', 'dog', '[SEP]', '<b>cat', '\u202emat', '[SEP]'];
const split = 4;

/** Head 0 looks back by one, head 1 at its own token, head 2 everywhere. */
const heads = Array.from({ length: 3 }, (_, head): AttentionPicture => {
  const weightOf = (row: number, column: number): number => {
    if (head === 2) return 1 / tokens.length;
    return Number(column === Math.max(0, head === 0 ? row - 1 : row));
  };
  const weights = tokens.map((_token, row) => tokens.map((_other, column) => weightOf(row, column)));
  return { path: 'encoder.blocks.0.attention', kind: 'self', head, rows: tokens, columns: tokens, weights };
});
const html = renderAttentionHtml({ title: 'Two texts', input: 'two texts', pictures: heads, split });

describe('headViewSvg', () => {
  it('draws one line a pair above the threshold, the weight as opacity', () => {
    expect(headViewSvg({ heads, threshold: 0.5 }).match(/<path d=/g)).toHaveLength(14);
    expect(headViewSvg({ heads, threshold: 0.1 }).match(/opacity="0.14"/g)).toHaveLength(49);
  });

  it('refuses heads of different texts', () => {
    const other = { ...(heads[0] as AttentionPicture), columns: ['a'], weights: tokens.map(() => [1]) };
    expect(() => headViewSvg({ heads: [...heads, other] })).toThrow(ShapeError);
    expect(() => headViewSvg({ heads: [] })).toThrow('headView: expected at least one head, got none');
  });
});

describe.skipIf(noBrowser !== '')(`a head view in Chromium${noBrowser}`, () => {
  const tester = new PageTester();
  afterAll(() => tester.close());

  it('follows a click on the model view to the layer and head', async () => {
    const second = heads.map((head) => ({ ...head, path: 'encoder.blocks.1.attention' }));
    const figure = { title: 'Two layers', input: 'two layers', pictures: [...heads, ...second] };
    const page = await tester.open(renderAttentionHtml(figure));
    const seen = page.locator('.head-view:visible');
    for (const layer of [0, 1]) {
      await page.getByRole('radio', { name: `layer ${layer}, head 1`, exact: true }).click();
      expect(await seen.count()).toBe(1);
      expect(await seen.getAttribute('aria-label')).toBe(`Encoder self-attention, layer ${layer}: lines`);
      const checked = seen
        .locator('.tools [data-head]')
        .evaluateAll((boxes) => boxes.map((box) => (box as HTMLInputElement).checked));
      expect(await checked).toEqual(heads.map(({ head }) => head === 1));
    }
    expect(tester.problems).toEqual([]);
    await page.context().close();
  });

  it('filters by head, threshold and part of two texts', async () => {
    const page = await tester.open(html);
    const view = page.locator('.head-view');
    const count = (): Promise<number> => view.locator('.lines path').count();
    expect(await count()).toBe(63);
    await view.locator('[data-threshold]').fill('0.5');
    expect(await count()).toBe(14);
    await view.locator('.tools [data-head]').first().uncheck();
    expect(await count()).toBe(7);
    await view.locator('[data-threshold]').fill('0');
    await view.locator('[data-part]').selectOption('second → first');
    expect(await count()).toBe(3 * 4);
    expect(await view.locator('output').textContent()).toBe('12 lines');
    await page.context().close();
  });

  it('shows the lines of one token by pointer and by keys, and names its strongest pair', async () => {
    const page = await tester.open(html);
    const view = page.locator('.head-view');
    await view.locator('.column-token').nth(2).hover();
    expect(await view.locator('.lines path').count()).toBe(1 + 1 + 7);
    await view.locator('.row-token').first().focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    expect(await view.locator('output').textContent()).toBe('Head 0: dog attends to the: 1.0000');
    expect(await view.locator('.row-token[tabindex="0"]').count()).toBe(1);
    await page.context().close();
  });

  it.each(['light', 'dark'] as const)(
    'has no axe violation in %s, no complaint, and inert tokens',
    slow,
    async (scheme) => {
      const page = await tester.open(html, scheme);
      expect(await page.locator('b').count()).toBe(0);
      expect(tester.problems).toEqual([]);
      expect(await violations(page)).toEqual([]);
      await page.context().close();
    },
  );
});
