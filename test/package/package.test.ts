/**
 * The packed tarball: its metadata, its types, and that it works in an empty folder without any compiler.
 */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const subpaths: string[] = Object.keys(manifest.exports).filter((name) => !name.endsWith('.json'));

let folder: string;
let tarball: string;
let packed: string[];

const run = (command: string, args: readonly string[], options: object = {}): string =>
  execFileSync(command, args, { encoding: 'utf8', stdio: 'pipe', ...options });

beforeAll(() => {
  run(process.execPath, [join(root, 'scripts', 'build.mjs')]);
  folder = mkdtempSync(join(tmpdir(), 'keyhole-package-'));
  const [report] = JSON.parse(
    run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root }),
  );
  tarball = join(folder, report.filename);
  packed = report.files.map(({ path }: { path: string }) => path);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  it('satisfies publint without a remark', async () => {
    const bytes = readFileSync(tarball);
    const { messages } = await publint({
      pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, manifest))).toEqual([]);
  });

  it('satisfies attw: types resolve for every subpath', () => {
    const attw = join(root, 'node_modules', '.bin', 'attw');
    expect(() => run(attw, [tarball, '--profile', 'esm-only', '--no-color'])).not.toThrow();
  }, 120_000);

  it('holds both WASM modules, the licence, and neither tests nor machine-specific builds', () => {
    const wasm = packed.filter((path) => path.endsWith('.wasm'));
    expect(wasm).toHaveLength(2);
    expect(wasm.every((path) => path.startsWith('dist/backend/wasm/'))).toBe(true);
    expect(packed).toContain('LICENSE');
    expect(packed.filter((path) => /\.test\.|\.node$|\.tsbuildinfo$|^src\//.test(path))).toEqual([]);
  });
});

describe('installed in an empty folder', () => {
  beforeAll(() => {
    writeFileSync(join(folder, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }');
    run('npm', ['install', tarball, '--prefer-offline', '--no-audit', '--no-fund'], { cwd: folder });
  }, 240_000);

  const evaluate = (code: string, environment: Readonly<Record<string, string>> = {}): string =>
    run(process.execPath, ['--input-type=module', '--eval', code], {
      cwd: folder,
      env: { ...process.env, ...environment },
    });

  it('imports every subpath', () => {
    const names = subpaths.map((subpath) => `keyhole${subpath.slice(1)}`);
    const code = `for (const name of ${JSON.stringify(names)}) {
      if (Object.keys(await import(name)).length === 0) console.log(name);
    }`;
    expect(evaluate(code)).toBe('');
  });

  it.each(['wasm', 'reference'])('computes attention on %s', (backend) => {
    const code = `
      import { attention, loadBackend, setBackend, tensor } from 'keyhole';
      setBackend(await loadBackend());
      const x = tensor([1, 2, 3, 4], [1, 1, 2, 2]);
      const v = tensor([5, 6], [1, 1, 2, 1]);
      console.log(attention(tensor([0, 0, 0, 0], [1, 1, 2, 2]), x, v).out.toArray().join());`;
    expect(evaluate(code, { KEYHOLE_BACKEND: backend })).toBe('5.5,5.5\n');
  });

  it('installs a command that knows where it is', () => {
    const keyhole = join(folder, 'node_modules', '.bin', 'keyhole');
    expect(run(keyhole, ['--version'], { cwd: folder }).trim()).toBe(manifest.version);
  });
});
