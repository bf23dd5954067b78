/** The health board in a real browser: its slider by keyboard, findings at their places, and nothing that axe objects to. */

import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/core/errors.js';
import type { Finding } from '../../src/core/finding.js';
import { healthBoardSvg } from '../../src/viz/healthBoard.js';
import { boardOf, type HealthPoint } from '../../src/viz/healthData.js';
import { renderFindings } from '../../src/viz/healthPage.js';
import { noBrowser, PageTester, slow, violations } from './browser.js';

const hostile = '</script><b>\u202e\u0000';

/** Two layers of two heads at three steps; entropy falls with the step, logits rise, one value is missing. */
const points: HealthPoint[] = [10, 20, 30].flatMap((step) =>
  ['encoder.blocks.0.attention', 'encoder.blocks.1.attention'].flatMap((path, layer) =>
    [0, 1].map((head) => ({
      step,
      path,
      head,
      entropyRatio: step === 10 && layer === 1 && head === 1 ? null : 0.9 - step / 50 - head / 10,
      logitMax: step * (1 + layer) - 40,
    })),
  ),
);

const layerFinding: Finding = {
  ...{ rule: 'entropy-collapse', severity: 'warning', path: 'encoder.blocks.1.attention', step: 20 },
  ...{ measured: 0.4, threshold: 0.5, origin: 'our default', source: 'a paper', evidence: hostile },
  ...{ cause: 'logits outgrow the softmax', remedy: 'warm-up', picture: 'keyhole inspect run' },
};

const findings: readonly Finding[] = [
  { ...layerFinding, head: 1 },
  { ...layerFinding, rule: 'logit-growth', severity: 'error', head: 0, step: 30, measured: 20, threshold: 10 },
  { ...layerFinding, rule: 'rank-collapse', severity: 'critical', path: 'encoder.blocks.0', step: 30 },
  { ...layerFinding, rule: hostile, path: hostile },
];

describe('boardOf', () => {
  it('puts values and findings where they belong, a block in the rows of its modules', () => {
    const board = boardOf(points, findings);
    expect(board.steps).toEqual([10, 20, 30]);
    expect(board.statistics.map(({ key }) => key)).toEqual(['entropyRatio', 'logitMax']);
    expect(Array.from(board.statistics[1]?.values ?? [])).toEqual([
      -30, -30, -20, -20, -20, -20, 0, 0, -10, -10, 20, 20,
    ]);
    expect(board.statistics[0]?.values[3]).toBeNaN();
    expect(board.findings.map(({ step, row, column, statistic }) => [step, row, column, statistic])).toEqual([
      [1, 1, 1, 0],
      [2, 1, 0, 1],
      [2, 0, 2, -1],
    ]);
  });
});

describe('healthBoardSvg', () => {
  it('draws one step with its pins', () => {
    const svg = healthBoardSvg(points, findings, { statistic: 'logitMax', step: 20 });
    expect(svg.match(/class="pin /g)).toHaveLength(1);
    expect(svg).toContain('>\u221220</text>');
  });

  it('refuses what it does not have', () => {
    expect(() => healthBoardSvg([])).toThrow(UsageError);
    expect(() => healthBoardSvg(points, [], { statistic: 'nonFinite' })).toThrow(UsageError);
    expect(() => healthBoardSvg(points, [], { step: 11 })).toThrow(UsageError);
  });
});

describe.skipIf(noBrowser !== '')(`the health board in Chromium${noBrowser}`, () => {
  const tester = new PageTester();
  afterAll(() => tester.close());

  it('walks through the steps by keyboard, and reads cells', async () => {
    const page = await tester.open(renderFindings('run', findings, points));
    const cell = page.locator('.board-cell').nth(4); // layer 1, head 1: two rows of two heads and the layer
    const numbers = page.locator('.values text');
    expect(await numbers.nth(4).textContent()).toBe('0.200');
    await page.locator('[data-steps]').focus();
    await page.keyboard.press('ArrowLeft');
    expect(await numbers.nth(4).textContent()).toBe('0.400');
    expect(await page.locator('.step').textContent()).toBe('20');
    await page.keyboard.press('Home');
    expect(await cell.getAttribute('class')).toContain(' x');
    await page.locator('[data-statistic]').selectOption('largest logit');
    expect(await numbers.nth(4).textContent()).toBe('\u221220');
    await page.locator('.board-cell').first().focus();
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('.health-board output').textContent()).toBe(
      'Encoder self-attention, layer 0, head 1, step 10: largest logit \u221230',
    );
    expect(tester.problems).toEqual([]);
    await page.context().close();
  });

  it('leads from a finding to its step, statistic and cell, where it is pinned', async () => {
    const page = await tester.open(renderFindings('run', findings, points));
    expect(await page.locator('.pins g[data-step]:not(.away)').count()).toBe(2);
    await page.locator('[data-finding]').first().click();
    expect(await page.locator('.health-board output').textContent()).toBe(
      'Encoder self-attention, layer 1, head 1, step 20: normalised entropy 0.400; warning entropy-collapse: 0.4000, threshold 0.5',
    );
    expect(await page.locator('.pins g[data-step]:not(.away) .pin.warning').count()).toBe(1);
    expect(await page.locator('.chart .pin').count()).toBe(2);
    expect(await page.locator('b').count()).toBe(0);
    const content = await page.content();
    for (const character of ['\u202e', '\u0000']) expect(content).not.toContain(character);
    await page.context().close();
  });

  it.each(['light', 'dark'] as const)('has no axe violation in %s', slow, async (colorScheme) => {
    const page = await tester.open(renderFindings('run', findings, points), colorScheme);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });
});
