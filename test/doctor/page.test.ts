/** The table of docs/doctor.md is the list of rules. `KEYHOLE_UPDATE=1 npx vitest run test/doctor/page.test.ts` renews it. */

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { Rule, Threshold } from '../../src/monitor/doctor/rule.js';
import { rules } from '../../src/monitor/doctor/rules.js';

const page = fileURLToPath(new URL('../../docs/doctor.md', import.meta.url));
const heading = '## The rules\n\n';

function limitOf({ severity, value, origin, measure }: Threshold): string {
  return `${severity} ${value}${measure ? ` (${measure})` : ''}, ${origin}`;
}

function rowOf({ name, measures, thresholds, source, cause, remedy }: Rule): string {
  return `| \`${name}\` | ${[measures, thresholds.map(limitOf).join('; '), source, cause, remedy].join(' | ')} |`;
}

it('lists every rule with its thresholds and their origins', () => {
  const header = ['| rule | measures | thresholds | source | cause | remedy |', '|---|---|---|---|---|---|'];
  const table = `${[...header, ...rules.map(rowOf)].join('\n')}\n`;
  const text = readFileSync(page, 'utf8');
  const start = text.indexOf(heading) + heading.length;
  if (process.env.KEYHOLE_UPDATE) writeFileSync(page, text.slice(0, start) + table);
  expect(readFileSync(page, 'utf8').slice(start)).toBe(table);
});
