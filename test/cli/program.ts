/** The built command line as its tests call it: a process of its own, at work in a folder of the test file. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const main = join(root, 'dist', 'cli', 'main.js');

/** How a call ended, and what it wrote. */
export interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface CallOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Options of Node itself. */
  readonly node?: readonly string[];
}

/** Builds what has changed, and makes an empty folder. */
export function newFolder(name: string): string {
  spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs')]);
  return mkdtempSync(join(tmpdir(), `keyhole-${name}-`));
}

/** Runs `keyhole` in a folder, to its end. */
export function keyholeIn(folder: string, args: readonly string[], options: CallOptions = {}): Outcome {
  const { environment = {}, node = [] } = options;
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, main, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', ...environment },
  });
  return { code: status, out: stdout, err: stderr };
}

/** What a call with `--json` wrote: one object and the end of its line. */
export function json({ out, err }: Outcome): Record<string, unknown> {
  expect(out.split('\n'), err).toHaveLength(2);
  return JSON.parse(out);
}
