/**
 * The files that runs and checkpoints live in, as one object: the host's functions with their errors put into words.
 * Everything here takes `files` as an argument, so a test can cut the power at any call. Next: checkpoint.ts, run.ts.
 */

import * as host from '#host';
import { KeyholeError, StateError } from '../core/errors.js';

/** File access as training needs it; semantics in ../host/node/files.ts. */
export interface Files {
  readBytes(path: string): Uint8Array;
  readText(path: string): string;
  exists(path: string): boolean;
  realPath(path: string): string;
  list(path: string): string[];
  makeFolder(path: string): boolean;
  writeAtomic(path: string, contents: host.Contents): void;
  rename(from: string, to: string): void;
  removeTree(path: string): void;
  pointTo(link: string, target: string): void;
  appendLines(path: string): host.LineWriter;
  appendBytes(path: string): host.ByteWriter;
  /** Takes a folder for this process alone; StateError naming the holder when it is taken. */
  lockFolder(folder: string): { readonly release: () => void };
}

/** What to say about the errors that people meet. */
const hints: Readonly<Record<string, readonly [expected: string, hint: string]>> = {
  ENOSPC: ['room on the disk for', 'the old content is untouched; free some space and use --resume'],
  EDQUOT: ['room in the disk quota for', 'the old content is untouched; free some space and use --resume'],
  EACCES: ['permission for', 'check the owner and mode of the folder'],
  EROFS: ['a writable disk for', 'choose another folder'],
  ENOENT: ['to find', 'check the path'],
  ENOTDIR: ['a folder at', 'check the path'],
  ENOTFILE: ['a regular file at', 'folders, devices and pipes are not read'],
  EISDIR: ['a file or pointer at', 'move the folder that is there away'],
};

/** The host's files. */
export const hostFiles: Files = {
  readBytes: (path) => worded('readBytes', path, () => host.readBytes(path)),
  readText: (path) => worded('readText', path, () => host.readText(path)),
  exists: (path) => worded('exists', path, () => host.exists(path)),
  realPath: (path) => worded('realPath', path, () => host.realPath(path)),
  list: (path) => worded('list', path, () => host.list(path)),
  makeFolder: (path) => worded('makeFolder', path, () => host.makeFolder(path)),
  writeAtomic: (path, contents) => worded('writeAtomic', path, () => host.writeAtomic(path, contents)),
  rename: (from, to) => worded('rename', to, () => host.rename(from, to)),
  removeTree: (path) => worded('removeTree', path, () => host.removeTree(path)),
  pointTo: (link, target) => worded('pointTo', link, () => host.pointTo(link, target)),
  appendLines: (path) => wordedWriter(path, 'appendLines', () => host.appendLines(path)),
  appendBytes: (path) => wordedWriter(path, 'appendBytes', () => host.appendBytes(path)),
  lockFolder,
};

function lockFolder(folder: string): { readonly release: () => void } {
  const outcome = worded('lockFolder', folder, () => host.lockFolder(folder));
  if ('release' in outcome) return outcome;
  const { heldBy } = outcome;
  throw new StateError(
    `lockFolder: expected to be the only writer of ${folder}, got process ${heldBy} at work on it; wait for it or end it`,
    { folder, pid: heldBy },
  );
}

/** A writer of lines or of bytes. */
interface Writer<Content> {
  write(content: Content): void;
  flush(): void;
  close(): void;
}

function wordedWriter<Content>(path: string, name: string, open: () => Writer<Content>): Writer<Content> {
  const writer = worded(name, path, open);
  return {
    write: (content) => writer.write(content),
    flush: () => worded(name, path, () => writer.flush()),
    close: () => worded(name, path, () => writer.close()),
  };
}

function worded<T>(name: string, path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof KeyholeError || !(error instanceof Error)) throw error;
    const code = (error as { code?: unknown }).code;
    const [expected, hint] = hints[String(code)] ?? ['to work on', error.message];
    throw new StateError(`${name}: expected ${expected} ${path}, got ${String(code ?? error.name)}; ${hint}`, {
      path,
      cause: error,
    });
  }
}
