// `npm run test:valgrind`: loads the addon under valgrind and runs a few kernels of the baseline target, alone and in
// threads. Fails when valgrind sees an error that native code had a part in. Valgrind knows no AVX-512, so the wider
// targets are left to test:sanitize. Skipped, with the reason, where valgrind is absent.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../test/native/smoke.mjs', import.meta.url));
const addon = fileURLToPath(
  new URL(`../build/native/keyhole-${process.platform}-${process.arch}.node`, import.meta.url),
);

if (spawnSync('valgrind', ['--version']).status !== 0) {
  console.log('test:valgrind: skipped, there is no valgrind here');
  process.exit(0);
}
const checks = ['--error-exitcode=9', '--leak-check=no', '--quiet'];
// Node's own code, and the machine code that V8 writes at run time, are not what is tested.
const { status } = spawnSync('valgrind', [...checks, process.execPath, '--jitless', script, addon], {
  stdio: 'inherit',
});
console.log(status === 0 ? 'test:valgrind: no errors' : `test:valgrind: failed with ${status}`);
process.exit(status === 0 ? 0 : 1);
