// `npm run test:sanitize [vitest arguments]`: builds the addon with AddressSanitizer and UBSan beside the normal one and
// runs the native tests on it under stock Node, every view in memory of its exact size. Fails on any report.
// A skipped run says why. KEYHOLE_SUBJECTS narrows the targets ("native avx2"), KEYHOLE_FUZZ_RUNS lengthens the fuzzing.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

process.env.KEYHOLE_SANITIZE = 'address';
const { buildNative } = await import('./build-native.mjs');
const root = fileURLToPath(new URL('..', import.meta.url));

const native = await buildNative();
console.log(native.line);
if (!native.available) process.exit(1);

/** The runtime that the compiler linked against: it has to be the first library of the process. */
function runtime() {
  const compiler = process.env.CXX ?? 'g++';
  const { stdout } = spawnSync(compiler, ['-print-file-name=libasan.so'], { encoding: 'utf8' });
  const path = stdout?.trim() ?? '';
  if (!path.startsWith('/'))
    throw new Error(`test:sanitize: expected libasan.so of ${compiler}, got ${path || 'nothing'}; use g++`);
  return path;
}

const reports = mkdtempSync(join(tmpdir(), 'keyhole-sanitize-'));
const log = `log_path=${join(reports, 'report')}`;
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--config',
    'vitest.sanitize.config.ts',
    ...process.argv.slice(2),
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      KEYHOLE_SUBJECTS: process.env.KEYHOLE_SUBJECTS ?? 'native',
      LD_PRELOAD: runtime(),
      // Node keeps memory until it ends, which is no leak; V8 handles faults of its own.
      ASAN_OPTIONS: `detect_leaks=0:handle_segv=0:allow_user_segv_handler=1:${log}`,
      UBSAN_OPTIONS: `print_stacktrace=1:${log}`,
    },
  },
);
const found = readdirSync(reports).map((name) => readFileSync(join(reports, name), 'utf8'));
rmSync(reports, { recursive: true });
for (const report of found) console.error(report);
console.log(`test:sanitize: ${found.length} reports`);
process.exit(status === 0 && found.length === 0 ? 0 : 1);
