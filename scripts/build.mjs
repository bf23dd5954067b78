// Builds what can be built here: dist/ from TypeScript, then the native addon when a compiler is there. Whatever is up
// to date is left alone. The last line says which backend will run, and why.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildNative } from './build-native.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const at = (...parts) => join(root, ...parts);
const files = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    : [];
const isTest = (path) => path.endsWith('.test.ts');

buildTypeScript();
const native = await buildNative();
if (native.line.includes('\n')) console.error(native.line); // what a compiler had to say
console.log(await verdict());

/** Compiles src/ and copies what is not TypeScript, unless nothing changed since the last time. */
function buildTypeScript() {
  const sources = files(at('src')).filter((path) => !isTest(path));
  const key = fingerprint([...sources, at('tsconfig.json'), at('package-lock.json')]);
  const keyFile = at('build', 'dist.key');
  if (existsSync(at('dist')) && existsSync(keyFile) && readFileSync(keyFile, 'utf8') === key) return;

  if (!existsSync(at('dist'))) rmSync(at('build', 'tsconfig.tsbuildinfo'), { force: true });
  const compiler = at('node_modules', 'typescript', 'bin', 'tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', at('tsconfig.json')], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);

  const expected = new Set();
  for (const source of sources) {
    const target = join(at('dist'), source.slice(at('src').length));
    if (source.endsWith('.ts')) {
      for (const ending of ['.js', '.d.ts']) expected.add(target.replace(/\.ts$/, ending));
      continue;
    }
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, target);
    expected.add(target);
  }
  for (const file of files(at('dist'))) if (!expected.has(file)) rmSync(file);
  mkdirSync(at('build'), { recursive: true });
  writeFileSync(keyFile, key);
}

function fingerprint(paths) {
  return paths
    .sort()
    .map((path) => {
      const { size, mtimeMs } = statSync(path);
      return `${path} ${size} ${mtimeMs}`;
    })
    .join('\n');
}

/** One line: the backend that programs will get here, and why it is not a faster one. */
async function verdict() {
  const { loadAttempts, loadBackend } = await import(new URL('../dist/backend/index.js', import.meta.url).href);
  const forced = process.env.KEYHOLE_BACKEND;
  try {
    const { backend, target, threads } = (await loadBackend()).info;
    const why = forced ? `asked for by KEYHOLE_BACKEND=${forced}` : nativeWhy(backend, loadAttempts());
    return `keyhole: backend ${backend} (${target}, ${threads} ${threads === 1 ? 'thread' : 'threads'}); ${why}`;
  } catch (error) {
    return `keyhole: no backend; ${oneLine(error.message)}`;
  }
}

function nativeWhy(backend, attempts) {
  const compiled = native.line.split('\n')[0];
  if (backend === 'native' || !native.available) return compiled;
  return attempts.map((attempt) => `${attempt.target ?? attempt.backend}: ${oneLine(attempt.reason)}`).join('; ');
}

function oneLine(text) {
  return text.replace(/\s*\n\s*/g, ' ');
}
