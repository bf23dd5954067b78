/**
 * One writer at a time for a folder, told apart by process id. A lock whose process is gone is taken over.
 *
 * The lock is a file `.lock` that appears complete or not at all (a hard link of a finished temp file, which fails when
 * the name is taken), so it needs neither waiting nor cleaning after a kill.
 */

import fs from 'node:fs';
import { join } from 'node:path';

/** The outcome of asking for a lock: it is ours until `release`, or another process holds it. */
export type LockOutcome = { readonly release: () => void } | { readonly heldBy: number };

/** Locks held by this very process; a second request here must fail too. */
const held = new Set<string>();

/** Takes the lock of a folder, or says which process has it. */
export function lockFolder(folder: string): LockOutcome {
  const path = join(fs.realpathSync(folder), '.lock');
  if (held.has(path)) return { heldBy: process.pid };
  const owner = acquire(path, identity(process.pid) ?? String(process.pid));
  if (owner !== undefined) return { heldBy: owner };
  held.add(path);
  return {
    release: () => {
      if (held.delete(path)) fs.rmSync(path, { force: true });
    },
  };
}

/**
 * Puts `self` at `path`, or returns the id of the living process that is there. Who finds a dead owner first takes the
 * right to remove it, `path.next`, in the same way: nobody else touches a dead lock meanwhile.
 */
function acquire(path: string, self: string): number | undefined {
  if (create(path, self)) return undefined;
  const owner = livingOwner(path);
  if (owner !== undefined) return owner;
  const rival = acquire(`${path}.next`, self);
  if (rival !== undefined) return rival;
  if (fs.existsSync(path) && livingOwner(path) === undefined) fs.rmSync(path, { force: true });
  const taken = create(path, self);
  fs.rmSync(`${path}.next`, { force: true });
  return taken ? undefined : acquire(path, self);
}

function create(path: string, content: string): boolean {
  const temporary = `${path}.${process.pid}`;
  fs.writeFileSync(temporary, content);
  try {
    fs.linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

function livingOwner(path: string): number | undefined {
  const content = readIfThere(path);
  const owner = Number.parseInt(content, 10);
  return Number.isInteger(owner) && identity(owner) === content ? owner : undefined;
}

function readIfThere(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Process id, and on Linux its start time, because ids are used again; undefined when there is no such process. */
function identity(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return undefined;
  }
  const started = readIfThere(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ')[19];
  return started === undefined ? String(pid) : `${pid} ${started}`;
}
