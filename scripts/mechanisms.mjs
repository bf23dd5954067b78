// `npm run mechanisms`: runs test/mechanisms/mechanisms.test.ts and writes the table of docs/mechanisms.md from what
// passed. A mechanism is an entry of test/mechanisms/mechanisms.ts; nothing is written when a test fails.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs', 'mechanisms.md');
const folder = mkdtempSync(join(tmpdir(), 'keyhole-mechanisms-'));
const outcome = join(folder, 'outcome.json');
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    'test/mechanisms/mechanisms.test.ts',
    '--testTimeout=600000',
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, KEYHOLE_MECHANISMS: outcome } },
);
const rows = status === 0 ? JSON.parse(readFileSync(outcome, 'utf8')) : [];
rmSync(folder, { recursive: true });
if (status !== 0) process.exit(1);

const columns = ['forward', 'backward', 'native', 'wasm', 'record', 'peek', 'cache'];
const table = [
  ['mechanism', ...columns.map((name) => (name === 'wasm' ? 'WASM' : name)), 'cost'],
  ['---', ...columns.map(() => ':-:'), '---'],
  ...rows.map(({ name, cost, proved }) => [
    name,
    ...columns.map((column) => (proved.includes(column) ? '✓' : '–')),
    cost,
  ]),
].map((cells) => `| ${cells.join(' | ')} |`);
const uses = rows.map(({ name, use, paper }) => `- **${name}**: ${use} ${paper}.`);

const text = readFileSync(page, 'utf8').replace(
  /<!-- mechanisms -->\n[\s\S]*?<!-- end -->/,
  () => `<!-- mechanisms -->\n${table.join('\n')}\n\n## When to use which\n\n${uses.join('\n')}\n<!-- end -->`,
);
writeFileSync(page, text);
console.log(`mechanisms: ${rows.length}`);
