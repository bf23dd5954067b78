/** One page in Debian's Chromium, opened from disk; what it complains about and what axe finds. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';

const executablePath = '/usr/bin/chromium';

/** Why pages cannot be opened here; empty when they can. */
export const noBrowser = existsSync(executablePath) ? '' : ` (skipped: no ${executablePath}; apt-get install chromium)`;

/** axe needs seconds on an idle machine, a minute on a busy one. */
export const slow = { timeout: 240_000 };

/** A browser, a folder for its pages, and everything pages complained about or asked for. */
export class PageTester {
  readonly problems: string[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'keyhole-viz-'));
  #browser: Browser | undefined;

  async open(html: string, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
    this.#browser ??= await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    this.problems.length = 0;
    const file = join(this.#folder, 'page.html');
    writeFileSync(file, html);
    const context = await this.#browser.newContext({ viewport: { width: 1200, height: 900 }, colorScheme });
    const page = await context.newPage();
    page.on('console', (message) => this.problems.push(message.text()));
    page.on('pageerror', (error) => this.problems.push(String(error)));
    page.on('request', (request) => {
      if (request.url() !== pathToFileURL(file).href) this.problems.push(request.url());
    });
    await page.goto(pathToFileURL(file).href);
    return page;
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    rmSync(this.#folder, { recursive: true });
  }
}

/** What axe finds wrong. Legacy mode: one page without frames needs no second page to gather results. */
export async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}
