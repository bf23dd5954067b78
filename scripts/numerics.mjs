// `npm run numerics`: measures the largest error of every operation on every target of this machine and writes the table
// of docs/numerics.md. The suite fails afterwards when an error is larger than the page states. Figures are a quarter
// above what was measured, rounded up, so that another compiler's last bit changes nothing.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs', 'numerics.md');
const sizes = ['small', 'medium', 'large'];
const headroom = 1.25;
const tests = ['attention', 'elementwise', 'matmul', 'rows'].map((name) => `test/conformance/${name}.test.ts`);

const folder = mkdtempSync(join(tmpdir(), 'keyhole-numerics-'));
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--testTimeout=600000', ...tests, 'test/numerics/exp.test.ts'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, KEYHOLE_ACCURACY: folder },
  },
);
const parts = readdirSync(folder)
  .sort()
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
rmSync(folder, { recursive: true });
if (status !== 0) process.exit(1);

const order = [
  'reference',
  'native baseline',
  'native avx2',
  'native avx512',
  'native neon',
  'wasm simd',
  'wasm relaxed',
];
const columns = order.filter((name) => parts.some(({ subject }) => subject === name));
const rows = [...new Set(parts.flatMap((part) => part.rows.map(([row]) => row)))].sort();

/** Up to the next of 1, 1.5, 2, 3, 4, 6, 8 times a power of ten. */
function roundedUp(error) {
  if (error === 0) return '0';
  const power = Math.floor(Math.log10(error));
  const digit = [1, 1.5, 2, 3, 4, 6, 8, 10].find((candidate) => candidate * 10 ** power >= error) ?? 10;
  const number = Number(`${digit}e${power}`);
  return number >= 0.01 ? String(number) : number.toExponential();
}

function cell(subject, row) {
  const errors = Object.assign(
    {},
    ...parts
      .filter((part) => part.subject === subject)
      .flatMap((part) => part.rows.filter(([name]) => name === row).map(([, found]) => found)),
  );
  return sizes.map((size) => (errors[size] === undefined ? '–' : roundedUp(errors[size] * headroom))).join(' · ');
}

const lines = [
  ['operation', ...columns],
  ['---', ...columns.map(() => '---')],
  ...rows.map((row) => [row, ...columns.map((subject) => cell(subject, row))]),
].map((cells) => `| ${cells.join(' | ')} |`);
const text = readFileSync(page, 'utf8');
const marked = /<!-- accuracy -->\n[\s\S]*?<!-- end -->/;
writeFileSync(
  page,
  text.replace(marked, () => `<!-- accuracy -->\n${lines.join('\n')}\n<!-- end -->`),
);
console.log(`numerics: ${rows.length} operations on ${columns.join(', ')}`);
