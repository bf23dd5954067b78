/**
 * Files in Node, written so that a kill at any moment leaves the old content or the new, never a mixture.
 *
 * Synchronous on purpose: a checkpoint is a point in time. Errors are Node's own, with `code`; ../../train/files.ts
 * turns them into words. Locks are next door in lock.ts. The browser's half: ../browser/files.ts.
 */

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What a file may be written from; an iterable spares a second copy of everything in memory. */
export type Contents = string | Uint8Array | Iterable<Uint8Array>;

/** Appends whole lines. Lines wait in memory until `flush`, which returns when they are on the disk. */
export interface LineWriter {
  write(line: string): void;
  flush(): void;
  close(): void;
}

/** The same for bytes. */
export interface ByteWriter {
  write(bytes: Uint8Array): void;
  flush(): void;
  close(): void;
}

/** The bytes of a regular file. Folders, devices and pipes are refused before they are opened. */
export function readBytes(path: string): Uint8Array {
  if (!fs.statSync(path).isFile())
    throw Object.assign(new Error(`${path} is not a regular file`), { code: 'ENOTFILE' });
  const { buffer, byteOffset, byteLength } = fs.readFileSync(path);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The text of a regular file, UTF-8; invalid bytes become U+FFFD. */
export function readText(path: string): string {
  return new TextDecoder().decode(readBytes(path));
}

export function exists(path: string): boolean {
  return fs.existsSync(path);
}

/** The path itself, absolute, with pointers such as `runs/latest` followed. */
export function realPath(path: string): string {
  return fs.realpathSync(path);
}

/** Names inside a folder, sorted. */
export function list(path: string): string[] {
  return fs.readdirSync(path).sort();
}

/** Makes a folder and its parents. Returns false when it was there already. */
export function makeFolder(path: string): boolean {
  if (fs.mkdirSync(path, { recursive: true }) === undefined) return false;
  syncFolder(dirname(path));
  return true;
}

/**
 * Replaces a file: temp file in the same folder → write → fsync → rename → fsync of the folder. When anything fails, a
 * full disk for one, the old file stays, the temp file goes, and the error is thrown on.
 */
export function writeAtomic(path: string, contents: Contents): void {
  const temporary = temporaryBeside(path);
  try {
    writeAndSync(temporary, contents);
    fs.renameSync(temporary, path);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** Renames a file or folder and waits until the disk knows. */
export function rename(from: string, to: string): void {
  fs.renameSync(from, to);
  syncFolder(dirname(to));
}

/** Removes a file or a folder with everything in it; nothing there is fine. */
export function removeTree(path: string): void {
  fs.rmSync(path, { recursive: true, force: true });
}

/** Makes `link` point at `target` (relative to the link's folder), replacing an older pointer in one step. */
export function pointTo(link: string, target: string): void {
  const temporary = temporaryBeside(link);
  fs.symlinkSync(target, temporary, 'junction');
  try {
    fs.renameSync(temporary, link);
  } catch (error) {
    fs.rmSync(temporary, { force: true });
    throw error;
  }
  syncFolder(dirname(link));
}

/** A writer that appends lines to the end of a file. */
export function appendLines(path: string): LineWriter {
  const { write, ...writer } = appendBytes(path);
  return { ...writer, write: (line) => write(Buffer.from(`${line}\n`)) };
}

/**
 * A writer that appends to the end of a file. When a flush fails, a full disk for one, the part that went through is
 * taken back and everything still waits: the file stays whole, and a later flush can succeed.
 */
export function appendBytes(path: string): ByteWriter {
  const file = fs.openSync(path, 'a');
  let waiting: Uint8Array[] = [];
  const flush = (): void => {
    if (waiting.length === 0) return;
    appendOrNothing(file, Buffer.concat(waiting));
    waiting = [];
    fs.fsyncSync(file);
  };
  return {
    write: (bytes) => void waiting.push(bytes),
    flush,
    close: () => {
      try {
        flush();
      } finally {
        fs.closeSync(file);
      }
    },
  };
}

/** SHA-256 of the contents, in lower-case hexadecimal. */
export function sha256(contents: Contents): string {
  const hash = createHash('sha256');
  for (const chunk of chunks(contents)) hash.update(chunk);
  return hash.digest('hex');
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}

function writeAndSync(path: string, contents: Contents): void {
  const file = fs.openSync(path, 'w');
  try {
    for (const chunk of chunks(contents)) writeAll(file, chunk);
    fs.fsyncSync(file);
  } finally {
    fs.closeSync(file);
  }
}

/** One `write` may take only part of what it is given, just before the disk is full for instance. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += fs.writeSync(file, bytes, written);
}

function appendOrNothing(file: number, bytes: Uint8Array): void {
  const { size } = fs.fstatSync(file);
  try {
    writeAll(file, bytes);
  } catch (error) {
    if (fs.fstatSync(file).size > size) fs.ftruncateSync(file, size);
    throw error;
  }
}

function chunks(contents: Contents): Iterable<Uint8Array> {
  if (typeof contents === 'string') return [Buffer.from(contents)];
  return contents instanceof Uint8Array ? [contents] : contents;
}

/** A rename is safe from a power cut only after the folder is synced; Windows has no such call. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}
