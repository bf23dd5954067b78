/** `keyhole doctor`: which backend runs here, with what, and why the ones before it do not. */

import { cpus } from 'node:os';
import { Command } from 'commander';
import { type LoadAttempt, loadAttempts, loadBackend } from '../backend/registry.js';
import { Output } from './output.js';
import { packageVersion } from './version.js';

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Shows backend, instruction set, threads, versions, and every attempt to load a backend that failed.')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  keyhole doctor\n  KEYHOLE_BACKEND=wasm keyhole doctor --json')
    .action(({ json }: { json?: boolean }) => doctor(new Output({ json })));
}

/** Throws BackendError when the backend asked for by KEYHOLE_BACKEND cannot be loaded. */
async function doctor(output: Output): Promise<void> {
  const { info } = await loadBackend();
  const machine = {
    keyhole: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
  };
  const attempts = loadAttempts();
  output.table([
    ['backend', info.backend],
    ['target', info.target],
    ['threads', String(info.threads)],
    ...Object.entries(machine).map(([name, value]) => [name, String(value)]),
  ]);
  output.line(attempts.length === 0 ? 'Every backend that was tried loaded.' : 'Tried before, and failed:');
  for (const attempt of attempts) output.line(`  ${nameOf(attempt)}: ${attempt.reason}`);
  output.result({ ...info, ...machine, attempts });
}

function nameOf({ backend, target }: LoadAttempt): string {
  return target === undefined ? backend : `${backend}:${target}`;
}
