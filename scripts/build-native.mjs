// Builds build/native/keyhole-<platform>-<arch>.node from native/ with g++ or clang++ (CXX first), when the sources
// changed. Without a compiler, or when compiling fails, it says so and Keyhole runs on WASM.
// KEYHOLE_SANITIZE=address builds with AddressSanitizer and UBSan, into build/native-address; test-sanitize.mjs runs it.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = join(root, 'native');
const headers = join(root, 'node_modules', 'node-api-headers', 'include');
const sanitize = process.env.KEYHOLE_SANITIZE;
const folderName = sanitize ? `native-${sanitize}` : 'native';
const outputFolder = join(root, 'build', folderName);
// A finding of UBSan ends the process, as one of AddressSanitizer does; -O1 compiles in half the time.
const address = '-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1 -O1';
const sanitizers = { address: address.split(' ') };

const common = ['-std=c++20', '-O2', '-fPIC', '-fvisibility=hidden', '-Wall', '-Wextra', '-Wno-psabi'];
// -fno-math-errno lets a square root be one instruction; it changes no value.
const kernelFlags = ['-ffp-contract=off', '-fno-math-errno', '-fno-exceptions', '-fno-rtti'];

/** Every file that the result depends on, as [name, content]. */
function sourceFiles() {
  return readdirSync(sources, { recursive: true })
    .filter((name) => /\.(cpp|h|def)$/.test(name))
    .sort()
    .map((name) => [name, readFileSync(join(sources, name), 'utf8')]);
}

function findCompiler() {
  const candidates = [process.env.CXX, 'g++', 'clang++', 'clang++-19', 'c++'].filter(Boolean);
  return candidates.find((name) => spawnSync(name, ['--version']).status === 0);
}

/** The compiler's exit code and what it said. */
function run(command, parameters) {
  return new Promise((resolve) => {
    const child = spawn(command, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
    let text = '';
    child.stderr.on('data', (data) => {
      text += data;
    });
    child.on('error', (error) => resolve({ code: 1, text: String(error) }));
    child.on('close', (code) => resolve({ code, text }));
  });
}

async function compile(compiler, extra, output) {
  const objects = join(outputFolder, `objects-${process.pid}`);
  mkdirSync(objects, { recursive: true });
  try {
    const units = ['addon.cpp', 'pool.cpp', ...readdirSync(join(sources, 'targets')).map((name) => `targets/${name}`)];
    const compiled = units.map((unit) => ({ unit, object: join(objects, `${unit.replace(/\W/g, '_')}.o`) }));
    const results = await Promise.all(
      compiled.map(({ unit, object }) => {
        const flags = unit.startsWith('targets/') ? kernelFlags : ['-isystem', headers];
        return run(compiler, [...common, ...flags, ...extra, '-c', join(sources, unit), '-o', object]);
      }),
    );
    const failed = results.find(({ code }) => code !== 0);
    if (failed) return failed;
    const shared =
      process.platform === 'darwin' ? ['-bundle', '-undefined', 'dynamic_lookup'] : ['-shared', '-pthread'];
    const temporary = `${output}.${process.pid}`;
    const linked = await run(compiler, [...shared, ...extra, ...compiled.map(({ object }) => object), '-o', temporary]);
    if (linked.code === 0) renameSync(temporary, output);
    return linked;
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

/**
 * Builds the addon unless it is up to date. Never throws for want of a compiler or for a failed compile.
 * @returns {Promise<{ built: boolean, available: boolean, line: string }>} whether it was built now, whether there is
 * one to load, and one line that says so.
 */
export async function buildNative() {
  const name = `keyhole-${process.platform}-${process.arch}.node`;
  const output = join(outputFolder, name);
  const stampFile = `${output}.stamp`;
  const compiler = findCompiler();
  if (compiler === undefined)
    return { built: false, available: false, line: 'native: no g++ or clang++ found (set CXX); using WASM' };
  if (sanitize && !(sanitize in sanitizers))
    throw new Error(`KEYHOLE_SANITIZE: expected ${Object.keys(sanitizers).join(', ')}, got ${sanitize}`);
  const extra = sanitizers[sanitize] ?? [];
  const stamp = createHash('sha256')
    .update(JSON.stringify([compiler, extra, common, kernelFlags, sourceFiles()]))
    .digest('hex');
  if (existsSync(output) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp)
    return { built: false, available: true, line: `native: build/${folderName}/${name} is up to date` };
  mkdirSync(outputFolder, { recursive: true });
  const { code, text } = await compile(compiler, extra, output);
  if (code !== 0) {
    rmSync(output, { force: true });
    rmSync(stampFile, { force: true });
    return { built: false, available: false, line: `native: ${compiler} failed; using WASM\n${text}` };
  }
  writeFileSync(stampFile, stamp);
  return { built: true, available: true, line: `native: built build/${folderName}/${name} with ${compiler}` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log((await buildNative()).line);
