/**
 * Documents that cannot go stale: every TypeScript block of README.md and of the pages below runs and prints
 * exactly the text block that follows it; every example runs; every file that a document names exists.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const node = (...args: readonly string[]): string =>
  execFileSync(process.execPath, args, { cwd: root, encoding: 'utf8', stdio: 'pipe' });

beforeAll(() => void node('scripts/build.mjs'), 120_000);

describe.each(['README.md', 'docs/estimate.md', 'docs/kpis.md', 'docs/masks.md', 'docs/training.md'])('%s', (page) => {
  const blocks = [...read(page).matchAll(/```ts\n([\s\S]*?)```(?:\s*```text\n([\s\S]*?)```)?/g)];

  it.each(blocks.map(([, code, output], index) => ({ index, code, output })))(
    'block $index prints what the page says',
    ({ index, code, output }) => {
      const path = join(root, 'build', 'docs', `${basename(page, '.md')}-${index}.ts`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, code ?? '');
      const printed = node('scripts/example.mjs', path);
      if (output !== undefined) expect(printed).toBe(output);
    },
  );
});

describe('examples', () => {
  const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'));

  it('have a number each and at most 60 lines', () => {
    expect(new Set(examples.map((name) => Number(name.slice(0, 2)) || name)).size).toBe(examples.length);
    expect(examples.filter((name) => !/^\d\d-/.test(name))).toEqual([]);
    expect(examples.filter((name) => read(`examples/${name}`).split('\n').length > 61)).toEqual([]);
  });

  it.each(examples)('%s runs', (name) => {
    expect(node('scripts/example.mjs', join('examples', name))).not.toBe('');
  });
});

describe('documents', () => {
  const decisions = readdirSync(join(root, 'docs', 'decisions')).map((name) => `docs/decisions/${name}`);
  const own = [
    'docs/caches.md',
    'docs/estimate.md',
    'docs/kpis.md',
    'docs/masks.md',
    'docs/mechanisms.md',
    'docs/numerics.md',
    'docs/training.md',
    'docs/tasks/novel.md',
    'docs/tasks/spam.md',
    'docs/tasks/stories.md',
    'docs/tasks/subjects.md',
    'docs/tasks/translate.md',
  ];
  const pages = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', ...own, ...decisions];

  it.each(pages)('%s names only files that exist', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) =>
      join(dirname(page), link ?? ''),
    );
    const named = [...read(page).matchAll(/`((?:src|native|scripts|test|examples|docs)\/[\w./-]+\.\w+)`/g)].map(
      ([, path]) => path ?? '',
    );
    expect([...links, ...named].filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
