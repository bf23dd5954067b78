/** The commit of the work tree around the current folder, read from `.git` itself: no program needs to be there. */

import type { Files } from './files.js';

/** Folders above the current one that are searched. */
const levels = 16;

/** The commit, or undefined outside of a work tree and before its first commit. Never throws: it is a note, no input. */
export function findGitCommit(files: Files, start = '.'): string | undefined {
  for (let level = 0, folder = start; level < levels; level++, folder += '/..') {
    try {
      if (files.exists(`${folder}/.git`)) return readHead(gitFolder(`${folder}/.git`, files), files);
    } catch {
      return undefined;
    }
  }
  return undefined;
}

/** In a linked work tree `.git` is a file that says where the folder is. */
function gitFolder(path: string, files: Files): string {
  if (files.exists(`${path}/HEAD`)) return path;
  return /^gitdir: (.+)$/m.exec(files.readText(path))?.[1] ?? path;
}

function readHead(folder: string, files: Files): string | undefined {
  const head = files.readText(`${folder}/HEAD`).trim();
  const reference = /^ref: (.+)$/.exec(head)?.[1];
  if (reference === undefined) return commitIn(head);
  const common = files.exists(`${folder}/commondir`)
    ? `${folder}/${files.readText(`${folder}/commondir`).trim()}`
    : folder;
  if (files.exists(`${common}/${reference}`)) return commitIn(files.readText(`${common}/${reference}`));
  const packed = files.readText(`${common}/packed-refs`).split('\n');
  return commitIn(packed.find((line) => line.endsWith(` ${reference}`))?.split(' ')[0] ?? '');
}

function commitIn(text: string): string | undefined {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.exec(text.trim())?.[0];
}
