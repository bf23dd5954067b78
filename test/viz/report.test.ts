/** Pages in a real browser: opened from disk, read by mouse and keyboard, checked by axe, attacked by their tokens. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderComparison } from '../../src/viz/comparison.js';
import { renderAttentionHtml } from '../../src/viz/inspect.js';
import { renderReport } from '../../src/viz/report.js';
import { samplePictures, sampleReport } from './sampleReport.js';

const executablePath = '/usr/bin/chromium';
const reason = existsSync(executablePath) ? '' : ` (skipped: no ${executablePath}; apt-get install chromium)`;

/** axe needs seconds on an idle machine, a minute on a busy one. */
const slow = { timeout: 240_000 };

const hostileTokens = [
  '<script>window.hacked = 1</script>',
  '</script><img src=x onerror="window.hacked = 2">',
  '"onfocus="window.hacked=3" x="',
  '\u202eabc',
  '\u0000',
  '\u001b[31mred',
  'x'.repeat(1_048_576),
  '',
];

describe('report size', () => {
  it('stays within 1.5 MB for 5 words x 6 layers x 8 heads', () => {
    expect(renderReport(sampleReport({ layers: 6, heads: 8, steps: 30_000 })).length).toBeLessThanOrEqual(1.5e6);
  });
});

describe.skipIf(reason !== '')(`pages in Chromium${reason}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-viz-'));
  const problems: string[] = [];
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  /** Opens a page from disk; complaints and requests are kept in `problems`. */
  async function open(html: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    problems.length = 0;
    const file = join(folder, 'page.html');
    writeFileSync(file, html);
    const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
    const page = await context.newPage();
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(file).href) problems.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
    return page;
  }

  /** What axe finds wrong. Legacy mode: one page without frames needs no second page to gather results. */
  async function violations(page: Page): Promise<string[]> {
    const found = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  }

  const report = renderReport(sampleReport());

  it('opens from disk with no complaint and no request, and fits a telephone', async () => {
    const page = await open(report, { viewport: { width: 380, height: 800 } });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(380);
    expect(problems).toEqual([]);
    await page.context().close();
  });

  it('shows the exact weight on hover and on keyboard focus, and moves with arrow keys', async () => {
    const page = await open(report);
    const panel = page.locator('.panel').first();
    const output = panel.locator('output');
    await panel.locator('.cell').nth(9).hover();
    expect(await output.textContent()).toMatch(/^K attends to e: 0\.\d{4}$/);
    await panel.locator('.cell[tabindex="0"]').focus();
    expect(await output.textContent()).toMatch(/^<s> attends to k: /);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    expect(await output.textContent()).toMatch(/^K attends to e: /);
    expect(await panel.locator('.current').allTextContents()).toEqual(['K', 'e']);
    expect(await panel.locator('.cell[tabindex="0"]').count()).toBe(1);
    await page.context().close();
  });

  it('shows another head large by click and by arrow key, in map, table and caption alike', async () => {
    const page = await open(report);
    const panel = page.locator('.panel').first();
    const cell = panel.locator('.cell').nth(9);
    const before = await cell.getAttribute('aria-label');
    await panel.locator('[role=radio]').first().click();
    expect(await panel.locator('.chosen').textContent()).toBe('layer 0, head 0');
    const after = await cell.getAttribute('aria-label');
    expect(after).not.toBe(before);
    expect(after).toContain(await panel.locator('td').nth(9).textContent());
    await page.keyboard.press('ArrowRight');
    expect(await panel.locator('.chosen').textContent()).toBe('layer 0, head 1');
    expect(await panel.locator('[aria-checked=true]').getAttribute('aria-label')).toBe('layer 0, head 1');
    await page.context().close();
  });

  it('repaints exactly what was rendered', async () => {
    const page = await open(report);
    const panel = page.locator('.panel').first();
    const state = (): Promise<string[]> =>
      panel.locator('.cell').evaluateAll((cells) => cells.map((c) => `${c.getAttribute('class')} ${c.ariaLabel}`));
    const rendered = await state();
    const chosen = panel.locator('[aria-checked=true]');
    const name = (await chosen.getAttribute('aria-label')) ?? '';
    await panel.locator('[role=radio]').first().click();
    expect(await state()).not.toEqual(rendered);
    await panel.locator(`[role=radio][aria-label="${name}"]`).click();
    expect(await state()).toEqual(rendered);
    await page.context().close();
  });

  it('changes to a logarithmic scale, of colours and of ticks, and back', async () => {
    const page = await open(report);
    const panel = page.locator('.panel').first();
    const colours = (): Promise<string[]> =>
      panel.locator('.cell').evaluateAll((all) => all.map((c) => c.classList[1] ?? ''));
    const before = await colours();
    await panel.locator('[data-scale]').check();
    expect(await colours()).not.toEqual(before);
    expect(await panel.locator('.scale.logarithmic').isVisible()).toBe(true);
    expect(await panel.locator('.scale.linear').isVisible()).toBe(false);
    await panel.locator('[data-scale]').uncheck();
    expect(await colours()).toEqual(before);
    await page.context().close();
  });

  it('zooms by button, by key and by wheel, inside its frame', async () => {
    const page = await open(report);
    const panel = page.locator('.panel').first();
    const width = async (): Promise<number> => (await panel.locator('.map svg').boundingBox())?.width ?? 0;
    const before = await width();
    await panel.locator('[data-zoom="+"]').click();
    expect(await width()).toBeCloseTo(1.5 * before, 0);
    await panel.locator('.cell').first().focus();
    await page.keyboard.press('-');
    await page.keyboard.press('-');
    expect(await width()).toBeCloseTo(before / 1.5, 0);
    await page.keyboard.press('0');
    await panel.locator('.cell').first().hover();
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -100);
    await page.keyboard.up('Control');
    await expect.poll(width).toBeCloseTo(1.5 * before, 0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(1200);
    await page.context().close();
  });

  it('reads curves by keyboard and by mouse', async () => {
    const page = await open(report);
    const chart = page.locator('.chart').first();
    await chart.locator('.plot').focus();
    await page.keyboard.press('Home');
    expect(await chart.locator('output').textContent()).toMatch(/^step [\d,.]+: train [\d.]+$/);
    await page.keyboard.press('End');
    expect(await chart.locator('output').textContent()).toMatch(/^step 3,000: .*validation 0\.47/);
    await chart.locator('svg').hover();
    expect(await chart.locator('output').textContent()).toMatch(/^step 1,[\d.,]+: train/);
    await page.context().close();
  });

  it.each(['light', 'dark'] as const)('has no axe violation in %s, all folds open', slow, async (colorScheme) => {
    const { samples, ...rest } = sampleReport({ layers: 1, heads: 2, steps: 600 });
    const page = await open(renderReport({ ...rest, samples: samples.slice(0, 1) }), { colorScheme });
    await page.evaluate(() => {
      for (const fold of document.querySelectorAll('details')) fold.open = true;
    });
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  it('keeps hostile tokens inert everywhere', async () => {
    const n = hostileTokens.length;
    const picture = {
      path: '<b>path</b>',
      kind: 'self' as const,
      head: 0,
      rows: hostileTokens,
      columns: hostileTokens,
      weights: hostileTokens.map(() => hostileTokens.map(() => 1 / n)),
    };
    const hostile = hostileTokens.join(' ');
    const plain = sampleReport();
    const html = renderReport({
      ...plain,
      run: hostile,
      task: hostile,
      configuration: [{ name: hostile, value: hostile }],
      figures: [{ name: hostile, value: 1, unit: hostile }],
      samples: [{ input: hostile, predicted: hostile, references: [hostile], pictures: [picture] }],
      metrics: [{ step: 1, name: `${hostile}/${hostile}`, value: 1, unit: hostile }],
      attention: [{ step: 1, path: hostile, head: 0, entropyRatio: 1 }],
    });
    expect(html.length).toBeLessThan(300_000);
    const page = await open(html);
    await page.locator('.cell').nth(3).hover();
    await page.locator('.cell').first().focus();
    await page.locator('.plot').first().focus();
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(await page.locator('img, b').count()).toBe(0);
    expect(await page.locator('script').count()).toBe(2);
    expect(problems).toEqual([]);
    const text = await page.evaluate(() => document.documentElement.outerHTML);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is the point
    expect(text).not.toMatch(/[\u0000\u001b\u202e]/);
    await page.context().close();
  });

  it('shows every group in the page of inspect, with no axe violation', slow, async () => {
    const pictures = samplePictures('keyhole', 'K IY HH OW L', 1, 2);
    const axes = { input: 'letters', output: 'sounds' };
    const page = await open(renderAttentionHtml({ title: 'Attention', input: 'keyhole', pictures, axes }));
    expect(await page.locator('.panel').count()).toBe(3);
    expect(problems).toEqual([]);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });

  it('shows what is right and a verdict only where that is known', async () => {
    const sample = sampleReport({ steps: 100 });
    const written = sample.samples.map(({ input, predicted }) => ({ input, predicted, references: [], pictures: [] }));
    const heads = async (samples: typeof sample.samples): Promise<readonly string[]> => {
      const page = await open(renderReport({ ...sample, samples }));
      const names = await page.locator('.words thead th').allTextContents();
      await page.context().close();
      return names;
    };
    expect(await heads(sample.samples)).toEqual(['Input', 'Predicted', 'Reference', 'Verdict']);
    expect(await heads(written)).toEqual(['Input', 'Predicted']);
  });

  it('reads throughput by keyboard, and has a table of latencies', async () => {
    const page = await open(report);
    const speed = page.locator('section', { has: page.locator('h2', { hasText: 'Inference speed' }) }).last();
    await speed.locator('.plot').focus();
    await page.keyboard.press('Home');
    expect(await speed.locator('output').textContent()).toMatch(
      /^inputs at once 1: 5 characters [\d.]+, 9 characters [\d.]+$/,
    );
    expect(await speed.locator('td').first().textContent()).toBe('1.42');
    await page.context().close();
  });

  it.each(['light', 'dark'] as const)('compares runs with no axe violation in %s', slow, async (colorScheme) => {
    const { metrics } = sampleReport({ steps: 400 });
    const runs = ['A heron', 'B valley'].map((label, index) => ({
      ...{ label, name: `g2p-${label}`, task: 'g2p', status: 'finished', started: 'today' },
      configuration: { width: String(16 + index) },
      metrics,
    }));
    const row = { name: 'validation/loss', label: 'Loss', unit: 'nats', better: 'lower', values: [1, 1.2] } as const;
    const rows = [row, { ...row, name: 'validation/f1', better: 'higher' } as const];
    const page = await open(renderComparison({ runs, rows }), { colorScheme });
    await page.evaluate(() => {
      for (const fold of document.querySelectorAll('details')) fold.open = true;
    });
    expect(problems).toEqual([]);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });
});
