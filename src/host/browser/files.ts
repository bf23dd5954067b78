/**
 * A page has no file system: every call says so. Same names as ../node/files.ts and ../node/lock.ts.
 */

import type { ByteWriter, Contents, LineWriter } from '../node/files.js';
import type { LockOutcome } from '../node/lock.js';

export type { ByteWriter, Contents, LineWriter, LockOutcome };

function refuse(name: string): never {
  const message = `${name}: expected a file system, got a browser; runs and checkpoints need Node`;
  throw Object.assign(new Error(message), { code: 'ENOSYS' });
}

export const readBytes = (_path: string): Uint8Array => refuse('readBytes');
export const readText = (_path: string): string => refuse('readText');
export const exists = (_path: string): boolean => refuse('exists');
export const realPath = (_path: string): string => refuse('realPath');
export const list = (_path: string): string[] => refuse('list');
export const makeFolder = (_path: string): boolean => refuse('makeFolder');
export const writeAtomic = (_path: string, _contents: Contents): void => refuse('writeAtomic');
export const rename = (_from: string, _to: string): void => refuse('rename');
export const removeTree = (_path: string): void => refuse('removeTree');
export const pointTo = (_link: string, _target: string): void => refuse('pointTo');
export const appendLines = (_path: string): LineWriter => refuse('appendLines');
export const appendBytes = (_path: string): ByteWriter => refuse('appendBytes');
export const lockFolder = (_folder: string): LockOutcome => refuse('lockFolder');
export const sha256 = (_contents: Contents): string => refuse('sha256');
