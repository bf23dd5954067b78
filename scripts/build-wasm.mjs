// Builds the two committed WASM modules from native/ with clang-19 and wasm-ld-19, and the hash of their sources.
// --check changes nothing: exit 1 when the hash is stale or a rebuild gives other bytes.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'src', 'backend', 'wasm');
const hashFile = join(modules, 'keyhole.sha256');
const variants = { 'keyhole-simd.wasm': [], 'keyhole-relaxed.wasm': ['-mrelaxed-simd'] };
const compiler = process.env.KEYHOLE_WASM_CXX ?? 'clang++-19';
const linker = process.env.KEYHOLE_WASM_LD ?? 'wasm-ld-19';

const compile = '--target=wasm32 -std=c++20 -O2 -msimd128 -mbulk-memory -ffreestanding -nostdlib -fno-exceptions';
const kernels = '-fno-rtti -ffp-contract=off -fno-math-errno -fvisibility=hidden -Wall -Wextra -Wno-psabi -Wno-pragmas';
const link = '--no-entry --strip-all --stack-first -z stack-size=1048576 --export=__heap_base';

function run(command, parameters) {
  const { status, stderr, error } = spawnSync(command, parameters, { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} failed\n${error ?? stderr}`);
}

/** SHA-256 over the sources and flags that the modules depend on. */
function sourceHash() {
  const hash = createHash('sha256').update(JSON.stringify([compile, kernels, link, variants]));
  const files = readdirSync(join(root, 'native'), { recursive: true }).filter((name) => /\.(h|def)$|^wasm/.test(name));
  for (const name of files.sort()) hash.update(`${name}\n`).update(readFileSync(join(root, 'native', name)));
  return `${hash.digest('hex')}\n`;
}

/** Builds every module; returns [name, bytes]. */
function build() {
  const folder = mkdtempSync(join(tmpdir(), 'keyhole-wasm-'));
  try {
    return Object.entries(variants).map(([name, extra]) => {
      const [object, output] = [join(folder, `${name}.o`), join(folder, name)];
      run(compiler, [...`${compile} ${kernels}`.split(' '), ...extra, '-c', 'native/wasm.cpp', '-o', object]);
      run(linker, [...link.split(' '), object, '-o', output]);
      return [name, readFileSync(output)];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function check() {
  if (readFileSync(hashFile, 'utf8') !== sourceHash()) return 'the sources changed since they were built';
  if (spawnSync(compiler, ['--version']).status !== 0) return undefined;
  const differs = build().find(([name, bytes]) => !bytes.equals(readFileSync(join(modules, name))));
  return differs && `a rebuild of ${differs[0]} gives other bytes`;
}

if (process.argv.includes('--check')) {
  const problem = check();
  console.log(problem ? `wasm: ${problem}; run node scripts/build-wasm.mjs` : 'wasm: the modules match their sources');
  process.exitCode = problem ? 1 : 0;
} else {
  for (const [name, bytes] of build()) {
    writeFileSync(join(modules, name), bytes);
    console.log(`wasm: built ${name}, ${bytes.length} bytes`);
  }
  writeFileSync(hashFile, sourceHash());
}
